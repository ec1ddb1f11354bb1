#include "apps/landscape/watch/local_server.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <httplib.h>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr const char* kHost = "127.0.0.1";

/// Returns whether a request is addressed to this machine: "localhost:8642" is, "evil.example:8642"
/// is not. Any port will do: a tunnel has its own.
bool is_addressed_here(const std::string& host) {
  const std::string name = host.substr(0, host.find(':'));
  return name == "localhost" || name == kHost;
}

void send(const LocalServer::Answer& answer, httplib::Response& response) {
  response.status = answer.status;
  if (!answer.policy.empty()) response.set_header("Content-Security-Policy", answer.policy);
  response.set_content(answer.body, answer.type);
}

void add(httplib::Server& server, const std::string& path, const LocalServer::Handler& handler) {
  server.Get(path, [handler](const httplib::Request& request, httplib::Response& response) {
    LocalServer::Parameters parameters;
    for (const auto& parameter : request.params) parameters[parameter.first] = parameter.second;
    try {
      send(handler(parameters), response);
    } catch (const std::exception& error) {
      send({.status = 500, .body = text(error.what(), "\n")}, response);
    }
  });
}

void configure(httplib::Server& server) {
  // The library's default would let a second server take the same port.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  // Connections that stay open, or that a browser opens in advance, would delay the end.
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(1);
  server.set_read_timeout(1);
  server.set_write_timeout(5);
  server.new_task_queue = [] { return new httplib::ThreadPool(4); };
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"},
                              {"Cross-Origin-Resource-Policy", "same-origin"}});
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    if (is_addressed_here(request.get_header_value("Host")))
      return httplib::Server::HandlerResponse::Unhandled;
    send({.status = 403,
          .body = text("this server answers requests to localhost and ", kHost, " only\n")},
         response);
    return httplib::Server::HandlerResponse::Handled;
  });
}

}  // namespace

struct LocalServer::State {
  int port = 0;
  httplib::Server server = {};
  std::atomic<bool> ended = false;
  std::thread thread = {};
};

LocalServer::LocalServer(int port, const std::map<std::string, Handler>& handlers)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  configure(state.server);
  for (const auto& handler : handlers) add(state.server, handler.first, handler.second);
  state.port = port == 0 ? state.server.bind_to_any_port(kHost) : port;
  const bool bound = port == 0 ? state.port > 0 : state.server.bind_to_port(kHost, port);
  require(bound, "port ", port, " of ", kHost,
          " is taken, or not this account's to use: choose another, or 0 for any free one");
  state.thread = std::thread([&state] {
    state.server.listen_after_bind();
    state.ended = true;
  });
  // stop() has no effect on a server that does not run yet.
  while (!state.server.is_running() && !state.ended)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

LocalServer::~LocalServer() {
  state_->server.stop();
  state_->thread.join();
}

std::string LocalServer::url() const {
  return text("http://", kHost, ":", state_->port, "/");
}

}  // namespace topograd
