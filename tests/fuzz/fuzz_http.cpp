#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "apps/landscape/watch/http_connection.h"
#include "kernels/core/check.h"
#include "tests/fuzz/harness.h"

namespace topograd::fuzz {

namespace {

void hold(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

bool is_plain(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

void check(const HttpRequest& request) {
  hold(request.path.starts_with('/') && request.path.size() <= kLongestRequestLine, "a path");
  hold(is_plain(request.path) && is_plain(request.host), "control characters in a request");
  for (const auto& [name, value] : request.parameters)
    hold(is_plain(name) && is_plain(value), "control characters in a parameter");
}

/// Reads what the server's end of a connection has sent so far.
std::string sent_to(int client) {
  std::string all;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(client, buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
    all.append(buffer, static_cast<size_t>(got));
  return all;
}

}  // namespace

/// The first byte says in what pieces the rest arrives.
void http(std::string_view bytes) {
  Source source(bytes);
  const size_t piece = 1 + 64 * static_cast<size_t>(source.byte());
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "no sockets");
  const FileDescriptor client(ends[0]);
  HttpConnection connection(FileDescriptor(ends[1]), 0);
  std::string answer;
  while (!source.ended() && connection.phase() != HttpConnection::Phase::over) {
    const std::string_view next = source.bytes(piece);
    if (::send(client.number(), next.data(), next.size(), MSG_NOSIGNAL) < 0) break;
    connection.proceed(POLLIN, 0);
    if (connection.phase() == HttpConnection::Phase::waiting) {
      check(connection.request());
      connection.answer({.body = std::string(100'000, 'x')}, 0);
    }
    if (connection.phase() == HttpConnection::Phase::sending) connection.proceed(POLLOUT, 0);
    answer += sent_to(client.number());
  }
  if (!answer.empty()) {
    const std::string_view head = std::string_view(answer).substr(0, answer.find("\r\n\r\n"));
    hold(head.starts_with("HTTP/1.1 ") && head.size() < 1000, "an answer's head");
    hold(head.find("Connection: close") != head.npos, "an answer without its end");
  }
  // Whatever is under way ends when its time is over.
  for (double now = 1; connection.phase() != HttpConnection::Phase::over; now += 100) {
    hold(now < 1e4, "a connection without an end");
    connection.proceed(0, now);
  }
}

}  // namespace topograd::fuzz
