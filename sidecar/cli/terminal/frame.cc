#include "sidecar/cli/terminal/frame.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace zrs::cli {

std::string Frame(absl::string_view screen, const WindowSize& window) {
  std::vector<std::string> lines = absl::StrSplit(absl::StripSuffix(screen, "\n"), '\n');
  // The last row is the cursor's: a line feed in it would move everything up.
  const size_t room = std::max<size_t>(window.rows, 2) - 1;
  if (lines.size() > room) {
    const size_t hidden = lines.size() - room + 1;
    lines.resize(room);
    lines.back() = absl::StrCat("... ", hidden, " more lines: make the window higher");
  }
  std::string frame = "\033[H";
  for (const std::string& line : lines) absl::StrAppend(&frame, line, "\033[K\n");
  return frame + "\033[J";
}

}  // namespace zrs::cli
