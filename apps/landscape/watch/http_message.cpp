#include "apps/landscape/watch/http_message.h"

#include <algorithm>
#include <utility>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

HttpAnswer refused(int status, const std::string& why) {
  return {.status = status, .body = why + "\n"};
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 414:
      return "URI Too Long";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_in_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// Returns whether the character may be in a header's name (a token of RFC 9110).
bool is_in_names(char c) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kPunctuation.find(c) != kPunctuation.npos;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// Cuts off and returns what stands before the separator, or all.
std::string_view take_until(std::string_view& rest, std::string_view separator) {
  const size_t at = rest.find(separator);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + separator.size());
  return taken;
}

/// Reads "GET /figure.svg?kind=heat HTTP/1.1" into the request. Returns the refusal, if any.
std::optional<HttpAnswer> read_line(std::string_view line, HttpRequest& request) {
  const std::string_view method = take_until(line, " ");
  std::string_view target = take_until(line, " ");
  if (line != "HTTP/1.1" && line != "HTTP/1.0") {
    const bool other = line.starts_with("HTTP/") && line.find(' ') == line.npos;
    return other ? refused(505, "this server speaks HTTP/1.1") : refused(400, "no HTTP request");
  }
  if (method != "GET" && method != "HEAD")
    return refused(405, "there is nothing here but to be read: GET and HEAD");
  if (!target.starts_with("/")) return refused(400, "the address is no path of this server");
  request.head_only = method == "HEAD";
  request.path = take_until(target, "?");
  while (!target.empty()) {
    std::string_view value = take_until(target, "&");
    const std::string_view name = take_until(value, "=");
    request.parameters[std::string(name)] = value;
  }
  return std::nullopt;
}

/// Reads the lines between the request's first one and the empty one.
std::optional<HttpAnswer> read_headers(std::string_view lines, HttpRequest& request) {
  int hosts = 0;
  for (size_t count = 1; !lines.empty(); ++count) {
    if (count > kMostRequestHeaders)
      return refused(431, text("more than ", kMostRequestHeaders, " headers"));
    std::string_view value = take_until(lines, kLineEnd);
    const bool named = value.find(':') != value.npos;
    const std::string_view name = take_until(value, ":");
    if (!named || name.empty() || !std::all_of(name.begin(), name.end(), is_in_names) ||
        std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
      return refused(400, "a line of the request is no header");
    if (!same_name(name, "Host")) continue;
    const size_t begin = std::min(value.find_first_not_of(" \t"), value.size());
    request.host = value.substr(begin, value.find_last_not_of(" \t") + 1 - begin);
    ++hosts;
  }
  if (hosts != 1) return refused(400, "the request names no host, or several");
  return std::nullopt;
}

}  // namespace

std::optional<std::variant<HttpRequest, HttpAnswer>> read_request(std::string_view bytes) {
  const size_t line_end = bytes.find(kLineEnd);
  std::string_view line = bytes.substr(0, line_end);
  if (line.size() > kLongestRequestLine)
    return refused(414, text("the address is longer than ", kLongestRequestLine, " characters"));
  if (line_end == bytes.npos && line.ends_with('\r')) line.remove_suffix(1);
  if (std::any_of(line.begin(), line.end(), is_control) ||
      !std::all_of(line.begin(), line.end(), is_in_ascii))
    return refused(400, "no HTTP request");
  if (line_end == bytes.npos) return std::nullopt;
  HttpRequest request;
  if (auto refusal = read_line(line, request)) return std::move(*refusal);
  // A head without any header ends with the line's own end.
  const size_t end = bytes.substr(0, kLongestRequestHead).find(kHeadEnd, line_end);
  if (end == bytes.npos && bytes.size() < kLongestRequestHead) return std::nullopt;
  if (end == bytes.npos)
    return refused(431, text("the headers are longer than ", kLongestRequestHead, " bytes"));
  const size_t begin = std::min(line_end + kLineEnd.size(), end);
  if (auto refusal = read_headers(bytes.substr(begin, end - begin), request))
    return std::move(*refusal);
  return request;
}

std::string head_of(const HttpAnswer& answer) {
  std::string head = text("HTTP/1.1 ", answer.status, " ", reason_of(answer.status), kLineEnd);
  const auto add = [&](std::string_view name, std::string_view value) {
    head += text(name, ": ", value, kLineEnd);
  };
  add("Content-Type", answer.type);
  add("Content-Length", std::to_string(answer.body.size()));
  if (!answer.location.empty()) add("Location", answer.location);
  if (answer.status == 405) add("Allow", "GET, HEAD");
  add("Connection", "close");
  add("Accept-Ranges", "none");
  add("Cache-Control", "no-store");
  add("Content-Security-Policy", answer.policy);
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Cross-Origin-Opener-Policy", "same-origin");
  head += kLineEnd;
  return head;
}

}  // namespace topograd
