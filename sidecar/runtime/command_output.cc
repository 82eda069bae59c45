#include "sidecar/runtime/command_output.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sidecar/text/printable.h"

namespace zrs::runtime {
namespace {

constexpr size_t kKept = 1024;
// What a pipe of Linux holds.
constexpr size_t kPipeSize = 65536;

// In the background of a shell that ends at once, so that nobody has to wait for the drain itself. Its standard output
// is what it waits for, its standard error the command's pipe: standard input is taken from what runs in the
// background.
constexpr char kDrain[] = "{ read -r _ <&1; exec cat <&2 >/dev/null 2>&1; } &";

void Close(int* descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

// Who reads this process's standard error may be gone, or slow, as for the command itself if that had it.
void PassOn(absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

absl::Status NotToBeHad(int error) { return absl::ErrnoToStatus(error, "no pipe for what it prints"); }

}  // namespace

absl::StatusOr<CommandOutput> CommandOutput::Open() {
  CommandOutput output;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return NotToBeHad(errno);
  output.read_end_ = ends[0];
  output.write_end_ = ends[1];
  if (absl::Status started = output.StartDrain(); !started.ok()) return started;
  return output;
}

CommandOutput::CommandOutput(CommandOutput&& other) noexcept
    : read_end_(std::exchange(other.read_end_, -1)),
      write_end_(std::exchange(other.write_end_, -1)),
      watched_by_drain_(std::exchange(other.watched_by_drain_, -1)),
      last_(std::move(other.last_)),
      cut_(other.cut_) {}

CommandOutput::~CommandOutput() {
  Close(&write_end_);
  Close(&read_end_);
  Close(&watched_by_drain_);
}

absl::Status CommandOutput::StartDrain() {
  int watch[2];
  if (pipe2(watch, O_CLOEXEC) != 0) return NotToBeHad(errno);
  watched_by_drain_ = watch[1];
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, watch[0], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, read_end_, STDERR_FILENO);
  // What ends this process by its terminal does not end the drain.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::string words[] = {"sh", "-c", kDrain};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  Close(&watch[0]);
  if (error != 0) return NotToBeHad(error);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  return absl::OkStatus();
}

void CommandOutput::CloseWriteEnd() { Close(&write_end_); }

bool CommandOutput::ReadFor(int milliseconds) {
  pollfd pipe = {read_end_, POLLIN, 0};
  return poll(&pipe, 1, milliseconds) <= 0 || Take();
}

void CommandOutput::ReadRest() {
  for (size_t taken = 0; taken < kPipeSize; taken += kKept) {
    pollfd pipe = {read_end_, POLLIN, 0};
    if (poll(&pipe, 1, /*timeout=*/0) <= 0 || !Take()) return;
  }
}

bool CommandOutput::Take() {
  char buffer[kKept];
  const ssize_t size = read(read_end_, buffer, sizeof buffer);
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) return false;
  const absl::string_view came(buffer, static_cast<size_t>(size));
  PassOn(came);
  absl::StrAppend(&last_, came);
  if (last_.size() > kKept) {
    last_.erase(0, last_.size() - kKept);
    cut_ = true;
  }
  return true;
}

std::string CommandOutput::Describe() const {
  absl::string_view last = absl::StripAsciiWhitespace(last_);
  if (last.empty()) return "";
  // The cut may have gone through a character.
  while (cut_ && !last.empty() && (static_cast<uint8_t>(last.front()) & 0xC0) == 0x80) last.remove_prefix(1);
  return absl::StrCat(", and printed \"", cut_ ? "..." : "", text::Escaped(last, absl::string_view::npos), "\"");
}

}  // namespace zrs::runtime
