// What a user's command prints, while this process is there and afterwards.
#ifndef ZRS_SIDECAR_RUNTIME_COMMAND_OUTPUT_H_
#define ZRS_SIDECAR_RUNTIME_COMMAND_OUTPUT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zrs::runtime {

// The pipe for a command's standard output and standard error. What comes through it is passed on to this process's
// standard error, and the last 1 KiB is kept. On one thread, which it may block.
//
// A command may outlive this object (zrs is stopped), and so may what it leaves running (a daemon): both print on, and
// a pipe that nobody reads would stop them, or kill them by SIGPIPE. So a process of its own, the drain, keeps the pipe
// open, and reads it once this process does so no more: until nobody can write to it.
class CommandOutput {
 public:
  // An error names what is not to be had, and why.
  static absl::StatusOr<CommandOutput> Open();
  ~CommandOutput();
  CommandOutput(CommandOutput&& other) noexcept;
  CommandOutput& operator=(CommandOutput&&) = delete;

  // For the command; closed here when it has been started.
  int write_end() const { return write_end_; }
  void CloseWriteEnd();

  // Takes what comes within this time. False: nothing will come any more, as nobody can write to it.
  bool ReadFor(int milliseconds);
  // Takes what is there already, and no more than a pipe holds: the writer may never end.
  void ReadRest();

  // The end of what has come, in one line, fit for a message: `, and printed "..."`; nothing where nothing was printed.
  std::string Describe() const;

 private:
  CommandOutput() = default;
  absl::Status StartDrain();
  // Passes on and keeps what one read gives. False at the end of the pipe.
  bool Take();

  int read_end_ = -1;
  int write_end_ = -1;
  int watched_by_drain_ = -1;  // closed by this process's end at the latest, which is what the drain waits for
  std::string last_;
  bool cut_ = false;  // more was printed than is kept
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_COMMAND_OUTPUT_H_
