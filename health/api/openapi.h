#pragma once

#include <nlohmann/json.hpp>

namespace sluice::health {

// The API for machines (OpenAPI 3.1), made of the route table; its schemas list every enumeration.
const nlohmann::ordered_json& openapi_document();

}  // namespace sluice::health
