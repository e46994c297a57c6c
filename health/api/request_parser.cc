#include "health/api/request_parser.h"

#include <algorithm>
#include <optional>

namespace sluice::health {
namespace {

std::optional<Method> method_of(std::uint8_t method) {
  switch (method) {
    case HTTP_GET:
      return Method::Get;
    case HTTP_HEAD:
      return Method::Head;
    case HTTP_POST:
      return Method::Post;
    case HTTP_PUT:
      return Method::Put;
    case HTTP_DELETE:
      return Method::Delete;
    case HTTP_PATCH:
      return Method::Patch;
    case HTTP_OPTIONS:
      return Method::Options;
    case HTTP_TRACE:
      return Method::Trace;
    default:
      return {};
  }
}

void to_lower(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
}

void trim(std::string& text) {
  text.erase(text.find_last_not_of(" \t") + 1);
  text.erase(0, text.find_first_not_of(" \t"));
}

// "http://host/path" -> "/path" (RFC 9112 section 3.2.2); check_head() has compared the host.
void to_origin_form(std::string& target) {
  if (target.front() == '/' || target == "*") return;
  const std::size_t path = target.find_first_of("/?", target.find("://") + 3);
  target.erase(0, std::min(path, target.size()));
  if (target.empty() || target.front() != '/') target.insert(target.begin(), '/');
}

// One large request is no reason to keep its room for good.
constexpr std::size_t kMostSpare = 16 * 1024;

// A copy for less is not worth it.
constexpr std::size_t kSlack = 512;

// RFC 9112 section 2.2 wants one tolerated, of clients of the last century.
constexpr std::size_t kMostEmptyLines = 4;

// A chunk of one octet takes six. Who frames more wastefully than this is not sending a body.
constexpr std::size_t kMaxFramingFactor = 8;

}  // namespace

struct RequestParser::Callbacks {
  static RequestParser& self(llhttp_t* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }

  static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
    self(parser).request_.target.append(at, size);
    return 0;
  }
  static int on_field(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& me = self(parser);
    if (me.head_complete_) {
      me.error_ = {400, "trailer fields are not accepted"};
      return HPE_USER;
    }
    me.request_.fields.emplace_back(std::string(at, size), "");
    return 0;
  }
  static int on_value(llhttp_t* parser, const char* at, std::size_t size) {
    self(parser).request_.fields.back().second.append(at, size);
    return 0;
  }
  static int on_head(llhttp_t* parser) {
    self(parser).head_complete_ = true;
    // An Upgrade may be ignored (RFC 9110 section 7.8); llhttp would stop here for good.
    parser->upgrade = 0;
    return 0;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
    RequestParser& me = self(parser);
    if (me.request_.body.size() + size > me.limits_.body) {
      me.error_ = {413, "the content is too large"};
      return HPE_USER;
    }
    me.request_.body.append(at, size);
    return 0;
  }
  static int on_extension(llhttp_t* parser, const char*, std::size_t size) {
    RequestParser& me = self(parser);
    me.extension_octets_ += size;
    if (me.extension_octets_ <= me.limits_.chunk_extensions) return 0;
    me.error_ = {400, "the chunk extensions are too long"};
    return HPE_USER;
  }
  static int on_complete(llhttp_t* parser) {
    self(parser).message_complete_ = true;
    return HPE_PAUSED;  // what follows is another request
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_url = on_url;
      settings.on_header_field = on_field;
      settings.on_header_value = on_value;
      settings.on_headers_complete = on_head;
      settings.on_body = on_body;
      settings.on_chunk_extension_name = on_extension;
      settings.on_chunk_extension_value = on_extension;
      settings.on_message_complete = on_complete;
      return settings;
    }();
    return &kSettings;
  }
};

RequestParser::RequestParser(const HttpLimits& limits, std::string* spare)
    : limits_(limits), spare_(spare) {}

void RequestParser::feed(std::string_view octets) {
  if (spare_ != nullptr && input_.capacity() < spare_->capacity() && input_.empty()) {
    input_.swap(*spare_);
  }
  input_.append(octets);
}

// An idle connection costs no buffer.
void RequestParser::give_back() {
  if (!input_.empty()) return;
  if (spare_ != nullptr && spare_->capacity() < input_.capacity() &&
      input_.capacity() <= kMostSpare) {
    input_.swap(*spare_);
  }
  input_.shrink_to_fit();
}

RequestParser::State RequestParser::advance() {
  switch (state_) {
    case State::Idle:
    case State::Head:
      state_ = read_head();
      break;
    case State::HeadDone:
      state_ = message_complete_ ? State::Done : read_body();
      break;
    case State::Body:
      state_ = read_body();
      break;
    case State::Done:
    case State::Failed:
      break;
  }
  if (state_ == State::Idle || state_ == State::Head || state_ == State::Body) fit();
  return state_;
}

// Who waits for the rest of a request keeps as much as it has sent.
void RequestParser::fit() {
  if (input_.empty()) return give_back();
  if (input_.capacity() <= 2 * input_.size() + kSlack) return;
  std::string fitted(input_);
  input_.clear();
  give_back();
  input_ = std::move(fitted);
}

void RequestParser::drop() {
  state_ = State::Failed;
  request_ = {};
  input_ = {};
}

HttpRequest RequestParser::take() {
  state_ = State::Idle;
  checked_ = 0;
  line_checked_ = false;
  empty_lines_ = 0;
  give_back();
  return std::move(request_);
}

RequestParser::State RequestParser::read_head() {
  // RFC 9112 section 2.2: an empty line before a request is ignored.
  while (input_.starts_with("\r\n")) {
    if (++empty_lines_ > kMostEmptyLines) {
      return fail({400, "a request begins with its request line"});
    }
    input_.erase(0, 2);
    checked_ = 0;
  }
  if (input_.empty()) return State::Idle;
  // What is wrong is found at the same octet however the network cuts them: in the request line
  // first, and as soon as that is whole, then in the fields.
  const auto line = read_line();
  if (!line) return fail(line.error());
  // The last octet may have been the CR of a CR LF.
  const std::size_t from = checked_ > 0 && input_[checked_ - 1] == '\r' ? checked_ - 1 : checked_;
  const std::size_t end = input_.find("\r\n\r\n", checked_ < 3 ? 0 : checked_ - 3);
  const std::size_t size = end == std::string::npos ? input_.size() : end + 4;
  // A whole one is checked as a whole.
  if (end != std::string::npos && size <= limits_.head) return parse_head(size);
  const std::size_t most = std::min(size, limits_.head + 1);
  if (from < most) {
    const auto checked = check_octets(std::string_view(input_).substr(from, most - from));
    if (!checked) return fail(checked.error());
  }
  if (size > limits_.head) return fail({431, "the header section is too large"});
  checked_ = input_.size();
  return State::Head;
}

base::Result<base::Done, HttpError> RequestParser::read_line() {
  if (line_checked_) return base::Done{};
  // The method and the version need some octets of the line, too.
  const std::size_t most = limits_.target + 64;
  const std::size_t found = input_.find("\r\n");
  const bool whole = found != std::string::npos;
  // Its last octet may be the CR of the CR LF.
  const std::size_t size = whole ? found : input_.size() - (input_.ends_with('\r') ? 1 : 0);
  const auto checked = check_octets(std::string_view(input_).substr(0, std::min(size, most + 1)));
  if (!checked) return checked;
  if (size > most) return base::Unexpected{HttpError{414, "the target is too long"}};
  if (!whole) return base::Done{};
  line_checked_ = true;
  return check_request_line(std::string_view(input_).substr(0, size), limits_);
}

RequestParser::State RequestParser::parse_head(std::size_t size) {
  const auto checked = check_head(std::string_view(input_).substr(0, size), limits_);
  if (!checked) return fail(checked.error());
  request_ = {};
  message_complete_ = false;
  head_complete_ = false;
  body_octets_ = 0;
  tail_.clear();
  extension_octets_ = 0;
  llhttp_init(&parser_, HTTP_REQUEST, Callbacks::settings());
  parser_.data = this;
  const llhttp_errno_t code = llhttp_execute(&parser_, input_.data(), size);
  // check_head() has seen a method that is a token: llhttp does not know it.
  if (code == HPE_INVALID_METHOD) return fail({501, "the method is not known"});
  if ((code != HPE_OK && code != HPE_PAUSED) || !head_complete_) {
    return fail({400, "the header section is not HTTP/1.1"});
  }
  const auto method = method_of(parser_.method);
  if (!method) return fail({501, "the method is not known"});
  request_.method = *method;
  to_origin_form(request_.target);
  for (auto& [name, value] : request_.fields) {
    to_lower(name);
    trim(value);
  }
  request_.keep_alive = llhttp_should_keep_alive(&parser_) != 0;
  request_.takes_chunks = parser_.http_minor > 0;
  request_.has_body = !message_complete_;
  // HTTP/1.0 has no 100 (RFC 9110 section 10.1.1).
  request_.expects_continue =
      request_.has_body && parser_.http_minor > 0 && !request_.field("expect").empty();
  input_.erase(0, size);
  return State::HeadDone;
}

RequestParser::State RequestParser::read_body() {
  error_ = {400, "the content is not framed as HTTP/1.1 wants it"};
  const llhttp_errno_t code = llhttp_execute(&parser_, input_.data(), input_.size());
  std::size_t used = input_.size();
  if (message_complete_) {
    used = static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - input_.data());
  } else if (code != HPE_OK) {
    return fail(error_);
  }
  body_octets_ += used;
  tail_.append(input_, used < 4 ? 0 : used - 4, std::min<std::size_t>(used, 4));
  tail_.erase(0, tail_.size() < 4 ? 0 : tail_.size() - 4);
  input_.erase(0, used);
  // llhttp lets the last line end with LF alone.
  if (message_complete_ && is_chunked() && tail_ != "\r\n\r\n") return fail(error_);
  if (body_octets_ > kMaxFramingFactor * limits_.body) {
    return fail({413, "the content is too large"});
  }
  return message_complete_ ? State::Done : State::Body;
}

bool RequestParser::is_chunked() const {
  return !request_.field("transfer-encoding").empty();
}

RequestParser::State RequestParser::fail(HttpError error) {
  error_ = error;
  input_.clear();
  return State::Failed;
}

}  // namespace sluice::health
