// Screens on a terminal, each written over the one before without a flicker.
#ifndef ZRS_SIDECAR_CLI_TERMINAL_FRAME_H_
#define ZRS_SIDECAR_CLI_TERMINAL_FRAME_H_

#include <string>

#include "absl/strings/string_view.h"
#include "sidecar/cli/terminal/terminal.h"

namespace zrs::cli {

// Written once before the first frame: no cursor, long lines are cut at the edge, an empty screen.
inline constexpr char kBeginFrames[] = "\033[?25l\033[?7l\033[H\033[2J";
// Written once after the last, which stays: takes that back, and whatever was typed below the frame.
inline constexpr char kEndFrames[] = "\r\033[J\033[?7h\033[?25h";

// What to write to show `screen`, whole lines, in a window of this size. Where there are more lines than rows the last
// one shown says how many are not.
std::string Frame(absl::string_view screen, const WindowSize& window);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_TERMINAL_FRAME_H_
