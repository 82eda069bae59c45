#include "sidecar/cli/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zrs::cli {
namespace {

// The child's only word in its pipe when it is up; an error is in words.
constexpr absl::string_view kUp = "up";

void WriteAll(int descriptor, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string ReadAll(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(descriptor, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer, static_cast<size_t>(size));
  }
}

void LeaveTerminal() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; null >= 0 && stream <= 2; ++stream) dup2(null, stream);
}

[[noreturn]] void RunChild(int pipe, absl::FunctionRef<absl::Status(OnUp)> run) {
  setsid();
  // No file system is kept from being unmounted.
  if (chdir("/") != 0) WriteAll(pipe, absl::StrCat("change to /: ", std::strerror(errno)));
  bool up = false;
  const absl::Status status = run([&] {
    up = true;
    LeaveTerminal();
    WriteAll(pipe, kUp);
    close(pipe);
  });
  if (!status.ok() && !up) WriteAll(pipe, status.message());
  // As at the end of main: the log is flushed by what exit calls.
  std::exit(status.ok() ? 0 : 1);
}

std::string DescribeEnd(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) return absl::StrCat("it was ended by signal ", WTERMSIG(status));
  return absl::StrCat("it ended with exit code ", WEXITSTATUS(status));
}

}  // namespace

absl::StatusOr<pid_t> RunInBackground(absl::FunctionRef<absl::Status(OnUp)> run) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "start a process");
  if (child == 0) {
    close(ends[0]);
    RunChild(ends[1], run);
  }
  close(ends[1]);
  const std::string said = ReadAll(ends[0]);
  close(ends[0]);
  if (said == kUp) return child;
  const std::string end = DescribeEnd(child);
  if (said.empty()) return absl::InternalError(absl::StrCat("zrs ended before it was up: ", end));
  return absl::UnavailableError(said);
}

}  // namespace zrs::cli
