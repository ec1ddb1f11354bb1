#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "apps/landscape/watch/http_message.h"

using namespace topograd;

namespace {

/// Returns the status of the refusal; 0 of a request, -1 where more is wanted.
int status_of(const std::string& bytes) {
  const auto read = read_request(bytes);
  if (!read) return -1;
  const auto* refusal = std::get_if<HttpAnswer>(&*read);
  return refusal ? refusal->status : 0;
}

const std::string kRequest =
    "GET /t/figure.svg?kind=heat&narrow=1&x&=y&a=b=c HTTP/1.1\r\nhOSt: \t localhost:8642 \r\n"
    "User-Agent: x\r\nX:\r\n\r\n";

}  // namespace

TEST_CASE("HTTP: a request's path, parameters and host") {
  const auto read = read_request(kRequest + "a body, or another request");
  REQUIRE(read);
  const HttpRequest& request = std::get<HttpRequest>(*read);
  CHECK(!request.head_only);
  CHECK(request.path == "/t/figure.svg");
  CHECK(request.host == "localhost:8642");
  const HttpRequest::Parameters expected = {
      {"kind", "heat"}, {"narrow", "1"}, {"x", ""}, {"", "y"}, {"a", "b=c"}};
  CHECK(request.parameters == expected);
  CHECK(std::get<HttpRequest>(*read_request("HEAD / HTTP/1.0\r\nHost:\r\n\r\n")).head_only);
}

TEST_CASE("HTTP: a request that comes byte by byte") {
  for (size_t count = 0; count < kRequest.size(); ++count) {
    CAPTURE(count);
    CHECK(status_of(kRequest.substr(0, count)) == -1);
  }
  CHECK(status_of(kRequest) == 0);
}

TEST_CASE("HTTP: more bytes than the limits are never waited for") {
  const std::string line = "GET / HTTP/1.1\r\n";
  CHECK(status_of(std::string(kLongestRequestLine, 'x')) == -1);
  CHECK(status_of(std::string(kLongestRequestLine + 1, 'x')) == 414);
  const std::string longest =
      "GET /" + std::string(kLongestRequestLine - 14, 'x') + " HTTP/1.1\r\n";
  REQUIRE(longest.size() == kLongestRequestLine + 2);
  CHECK(status_of(longest + "Host: a\r\n\r\n") == 0);
  const std::string begin = line + "Host: a\r\nX: ";
  const auto head_of_size = [&](size_t size) {
    return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
  };
  CHECK(status_of(head_of_size(kLongestRequestHead)) == 0);
  CHECK(status_of(head_of_size(kLongestRequestHead + 1)) == 431);
  CHECK(status_of(head_of_size(kLongestRequestHead + 1).substr(0, kLongestRequestHead)) == 431);
  CHECK(status_of(head_of_size(kLongestRequestHead).substr(0, kLongestRequestHead - 1)) == -1);
  std::string headers = line + "Host: a\r\n";
  for (size_t i = 1; i < kMostRequestHeaders; ++i) headers += "X: y\r\n";
  CHECK(status_of(headers + "\r\n") == 0);
  CHECK(status_of(headers + "X: y\r\n\r\n") == 431);
}

TEST_CASE("HTTP: what is no GET or HEAD is refused before its headers are there") {
  CHECK(status_of("POST / HTTP/1.1\r\n") == 405);
  CHECK(status_of("get / HTTP/1.1\r\n") == 405);
  CHECK(status_of("GET / HTTP/2.0\r\n") == 505);
  for (const char* line :
       {"\r\n", "GET\r\n", "GET /\r\n", "GET  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
        "GET x HTTP/1.1\r\n", "GET / x HTTP/1.1\r\n", "\n", "GET /\t", "G\x80"}) {
    CAPTURE(line);
    CHECK(status_of(line) == 400);
  }
}

TEST_CASE("HTTP: headers that are none, and hosts that are not one") {
  const auto with = [](const std::string& headers) {
    return status_of("GET / HTTP/1.1\r\n" + headers + "\r\n");
  };
  CHECK(with("Host: a\r\nX: \x80\xff\t \r\n") == 0);
  for (const char* headers :
       {"", "X: y\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nX\r\n", "Host: a\r\n: x\r\n",
        "Host: a\r\n folded\r\n", "Host : a\r\n", "Host: a\r\nX: a\nY: b\r\n", "Host: a\x7f\r\n"}) {
    CAPTURE(headers);
    CHECK(with(headers) == 400);
  }
  CHECK(with(std::string("Host: a\0\r\n", 10)) == 400);
}

TEST_CASE("HTTP: an answer's head") {
  const std::string head = head_of({.status = 405, .body = "four"});
  CHECK(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
  for (const char* line : {"Content-Length: 4\r\n", "Allow: GET, HEAD\r\n", "Connection: close\r\n",
                           "Content-Security-Policy: default-src 'none'", "Accept-Ranges: none\r\n",
                           "Cache-Control: no-store\r\n", "X-Frame-Options: DENY\r\n"})
    CHECK(head.find(line) != head.npos);
  CHECK(head.find("Location") == head.npos);
}
