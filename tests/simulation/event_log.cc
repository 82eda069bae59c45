#include "tests/simulation/event_log.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zrs::simulation {

void EventLog::Add(absl::string_view who, absl::string_view what) {
  lines_.push_back({queue_.now(), std::string(who), std::string(what)});
  if (lines_.size() <= most_lines_) return;
  lines_.pop_front();
  ++dropped_;
}

void EventLog::Violation(absl::string_view who, absl::string_view what) {
  Add(who, absl::StrCat("VIOLATION: ", what));
  if (violation_.empty()) violation_ = absl::StrCat(who, ": ", what);
}

std::string EventLog::Text() const {
  std::string text;
  if (dropped_ > 0) absl::StrAppend(&text, "(", dropped_, " earlier lines are not kept)\n");
  for (const Line& line : lines_) {
    absl::StrAppendFormat(&text, "%12.6f %-10s %s\n", absl::ToDoubleSeconds(line.at), line.who, line.what);
  }
  return text;
}

}  // namespace zrs::simulation
