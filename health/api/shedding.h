#pragma once

#include "health/api/http_message.h"
#include "health/api/routes.h"

// What is refused while memory is short (Api::shed()).
namespace sluice::health {

// Whether answers of this route grow with the configuration or stay for as long as their reader
// likes. Nothing that keeps a pool alive or drains it is among them, nor is the metrics page, which
// says that memory is short.
bool is_heavy(const Route& route) noexcept;

// 503 for those.
HttpResponse memory_is_short();

}  // namespace sluice::health
