#include "sidecar/runtime/command_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/runtime/command_output.h"

namespace zrs::runtime {
namespace {

// How often is looked whether a command has ended that prints nothing, in milliseconds.
constexpr int kLookInterval = 50;

std::vector<std::string> EnvironmentWith(const Variables& variables) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool overridden = false;
    for (const auto& [name, value] : variables) overridden |= absl::StartsWith(*entry, absl::StrCat(name, "="));
    if (!overridden) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : variables) environment.push_back(absl::StrCat(name, "=", value));
  return environment;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The error of posix_spawn, or 0.
int Spawn(const std::string& command, const Variables& variables, int output, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  // A broken pipe is ignored here, and that would be inherited.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = {"sh", "-c", command};
  std::vector<std::string> environment = EnvironmentWith(variables);
  const int error =
      posix_spawn(pid, "/bin/sh", &actions, &attributes, Pointers(words).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// What waitpid says, absent while it runs.
std::optional<int> LookForEnd(pid_t pid, int flags) {
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(pid, &status, flags)) < 0 && errno == EINTR) continue;
  if (ended == 0) return std::nullopt;
  return ended < 0 ? -1 : status;
}

// What it leaves running may hold the pipe open, and print without end: its own end is what is waited for.
int AwaitEnd(pid_t pid, CommandOutput& output) {
  for (;;) {
    const bool open = output.ReadFor(kLookInterval);
    const std::optional<int> ended = LookForEnd(pid, open ? WNOHANG : 0);
    if (!ended) continue;
    output.ReadRest();
    return *ended;
  }
}

absl::Status DescribeEnd(int status, const std::string& printed) {
  if (status < 0) return absl::AbortedError(absl::StrCat("nobody knows how it ended", printed));
  if (WIFSIGNALED(status)) {
    return absl::AbortedError(absl::StrCat("it was killed: ", strsignal(WTERMSIG(status)), printed));
  }
  const int code = WEXITSTATUS(status);
  return code == 0 ? absl::OkStatus() : absl::AbortedError(absl::StrCat("it ended with exit code ", code, printed));
}

absl::Status NotStarted(absl::string_view why) {
  return absl::AbortedError(absl::StrCat("it could not be started: ", why));
}

absl::Status Run(const std::string& command, const Variables& variables) {
  absl::StatusOr<CommandOutput> output = CommandOutput::Open();
  if (!output.ok()) return NotStarted(output.status().message());
  pid_t pid = 0;
  if (const int error = Spawn(command, variables, output->write_end(), &pid); error != 0) {
    return NotStarted(strerror(error));
  }
  output->CloseWriteEnd();
  const int ended = AwaitEnd(pid, *output);
  return DescribeEnd(ended, output->Describe());
}

}  // namespace

void RunShellCommand(const std::string& command, const Variables& variables,
                     absl::AnyInvocable<void(absl::Status)> done) {
  const auto shared = std::make_shared<absl::AnyInvocable<void(absl::Status)>>(std::move(done));
  try {
    // The command may outlive this process, and nothing here waits for it: so the thread is on its own.
    std::thread([command, variables, shared] { (*shared)(Run(command, variables)); }).detach();
  } catch (const std::system_error& error) {
    (*shared)(NotStarted(absl::StrCat("no thread for it: ", error.what())));
  }
}

}  // namespace zrs::runtime
