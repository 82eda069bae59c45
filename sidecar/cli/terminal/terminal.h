// What is behind a descriptor that people may be looking at.
#ifndef ZRS_SIDECAR_CLI_TERMINAL_TERMINAL_H_
#define ZRS_SIDECAR_CLI_TERMINAL_TERMINAL_H_

#include <cstddef>

namespace zrs::cli {

// A terminal on which a line can be written over: also TERM is set, and not "dumb".
bool IsTerminal(int descriptor);

// As above, and the environment has no NO_COLOR (see no-color.org: an empty one does not count).
bool WantsColor(int descriptor);

struct WindowSize {
  size_t rows = 24;
  size_t columns = 80;
};
// Now; the defaults where it is not known.
WindowSize WindowSizeOf(int descriptor);

enum class AfterSignal { kSucceed, kDieOfIt };

// From now on SIGINT and SIGTERM end the process at once, with exit code 0 or by the signal itself as without this;
// before that `last_words` (never freed) are written to `descriptor`, which leave the terminal as it was. The last call
// counts. A signal that was ignored stays so. To be called before other threads are started.
void EndOnSignals(int descriptor, const char* last_words, AfterSignal after);

// After EndOnSignals: other last words from now on, which are never freed. Any thread.
void ChangeLastWords(const char* last_words);

// From now on SIGINT and SIGTERM are only remembered, for work that has to be put away before the process ends; the
// second one of a kind ends it as without this. To be called before other threads are started.
void RememberSignals();
// The last one that came; 0: none. On any thread.
int RememberedSignal();
// Ends the process by that signal, as without a handler. (0: as by SIGTERM.)
[[noreturn]] void DieOf(int signal);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_TERMINAL_TERMINAL_H_
