// Labelled lines of a screen, aligned and wrapped.
#ifndef ZRS_SIDECAR_ADMIN_SCREEN_LINES_H_
#define ZRS_SIDECAR_ADMIN_SCREEN_LINES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace zrs::admin {

class ScreenLines {
 public:
  explicit ScreenLines(size_t columns);  // taken as 40 where it is less

  // A line as it is.
  void Add(absl::string_view line);
  // "  label      text", without what a terminal would obey (text/printable.h); what does not fit goes on below, under
  // the text's beginning. A word that is longer than a line is not divided.
  void Add(absl::string_view label, absl::string_view text);
  // Rows of cells, whose columns are aligned; the label stands before the first row. Not wrapped.
  void AddTable(absl::string_view label, const std::vector<std::vector<std::string>>& rows);

  const std::string& text() const { return text_; }

 private:
  size_t columns_;
  std::string text_;
};

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_SCREEN_LINES_H_
