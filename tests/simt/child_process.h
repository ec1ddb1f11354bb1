// Code that may kill its process, run in one of its own.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "kernels/core/check.h"

namespace topograd::simt::test {

/// What `body` returns, followed by everything that its process printed to stderr: a sanitizer's
/// report, where one ended the process before body returned.
inline std::string run_in_child(const std::function<std::string()>& body) {
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0, "no pipe");
  const pid_t child = fork();
  require(child >= 0, "no child process");
  if (child == 0) {
    dup2(pipe_ends[1], STDERR_FILENO);
    for (int number : {SIGSEGV, SIGBUS, SIGABRT}) signal(number, SIG_DFL);  // not doctest's
    const std::string result = body();
    [[maybe_unused]] const auto written = write(pipe_ends[1], result.data(), result.size());
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string output;
  char buffer[4096];
  for (ssize_t got; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    output.append(buffer, static_cast<size_t>(got));
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) output += text(" killed by signal ", WTERMSIG(status));
  return output;
}

}  // namespace topograd::simt::test
