#include "sidecar/cli/terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "absl/strings/string_view.h"

namespace zrs::cli {
namespace {

// For the signal handler. Written before the handler is set, but for the text.
struct LastWords {
  int descriptor = -1;
  std::atomic<const char*> text = "";
  AfterSignal after = AfterSignal::kDieOfIt;
};
static_assert(std::atomic<const char*>::is_always_lock_free);
LastWords last_words_of_process;

extern "C" void EndNow(int signal) {
  const char* text = last_words_of_process.text;
  // Nothing can be done about a terminal that is gone.
  [[maybe_unused]] const ssize_t written = write(last_words_of_process.descriptor, text, std::strlen(text));
  if (last_words_of_process.after == AfterSignal::kSucceed) _exit(0);
  // The handler was set for one signal only, so that this one, which waits for the handler's end, has its usual effect.
  raise(signal);
}

volatile std::sig_atomic_t remembered_signal = 0;

extern "C" void Remember(int signal) { remembered_signal = signal; }

void SetHandler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before {};
    // Whoever started this process decided that: a shell, of what it runs in the background.
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
}

absl::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool IsTerminal(int descriptor) {
  const absl::string_view term = Environment("TERM");
  return isatty(descriptor) == 1 && !term.empty() && term != "dumb";
}

bool WantsColor(int descriptor) { return IsTerminal(descriptor) && Environment("NO_COLOR").empty(); }

WindowSize WindowSizeOf(int descriptor) {
  struct winsize size {};
  WindowSize found;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return found;
  if (size.ws_row > 0) found.rows = size.ws_row;
  if (size.ws_col > 0) found.columns = size.ws_col;
  return found;
}

void EndOnSignals(int descriptor, const char* last_words, AfterSignal after) {
  last_words_of_process.descriptor = descriptor;
  last_words_of_process.text = last_words;
  last_words_of_process.after = after;
  SetHandler(EndNow);
}

void ChangeLastWords(const char* last_words) { last_words_of_process.text = last_words; }

void RememberSignals() { SetHandler(Remember); }

int RememberedSignal() { return remembered_signal; }

void DieOf(int signal) {
  const int number = signal == 0 ? SIGTERM : signal;
  std::signal(number, SIG_DFL);
  raise(number);
  _exit(1);
}

}  // namespace zrs::cli
