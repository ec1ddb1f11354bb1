// HTTP/1.1 as far as a page needs it that is only read: heads of requests, and answers to them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace topograd {

/// Request for what lies at a path: a GET or a HEAD.
struct HttpRequest {
  using Parameters = std::map<std::string, std::string>;
  bool head_only = false;      ///< HEAD: the answer without its body
  std::string path = {};       ///< "/figure.svg"
  Parameters parameters = {};  ///< of "?kind=heat&narrow=1", as they were sent: nothing is decoded
  std::string host = {};       ///< "localhost:8642", from the header of that name
};

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
  /// Content-Security-Policy: by default nothing in the answer may load or run anything.
  std::string policy = "default-src 'none'; frame-ancestors 'none'";
  std::string location = {};  ///< where a redirection leads; empty: none
};

/// Limits of a request's head, in bytes and in lines. A browser sends about 600 bytes, and cookies
/// of other programs on localhost.
constexpr size_t kLongestRequestLine = 2048;
constexpr size_t kLongestRequestHead = 16384;
constexpr size_t kMostRequestHeaders = 64;

/// Reads a request's head from the first bytes of a connection; a body is of no interest. Returns
/// nullopt while more bytes may complete it, which is never so of kLongestRequestHead bytes; the
/// answer that refuses it if it is no GET or HEAD within the limits above.
std::optional<std::variant<HttpRequest, HttpAnswer>> read_request(std::string_view bytes);

/// Returns an answer's head. The connection ends with the answer, browsers keep no copy, and no
/// other site's page may use or frame it. Ranges are not offered: each answer is whole.
std::string head_of(const HttpAnswer& answer);

}  // namespace topograd
