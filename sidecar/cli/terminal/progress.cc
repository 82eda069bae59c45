#include "sidecar/cli/terminal/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sidecar/admin/human_units.h"

namespace zrs::cli {
namespace {

constexpr absl::Duration kWorthALine = absl::Seconds(1);
constexpr absl::Duration kLineInterval = absl::Milliseconds(100);
constexpr absl::Duration kRateWindow = absl::Seconds(5);
constexpr size_t kLongestBar = 40;
constexpr size_t kShortestBar = 10;
constexpr char kClearLine[] = "\r\033[K";

double Part(uint64_t done, uint64_t total) {
  if (total == 0) return 0;
  return static_cast<double>(std::min(done, total)) / static_cast<double>(total);
}

std::string Bar(double part, size_t width) {
  const size_t filled = static_cast<size_t>(part * static_cast<double>(width));
  return absl::StrCat(std::string(filled, '='), std::string(width - filled, ' '));
}

}  // namespace

Progress::Progress(absl::string_view what, size_t columns, absl::Duration now)
    : what_(what), columns_(columns), began_(now), drawn_(now) {}

std::string Progress::Update(uint64_t done, uint64_t total, absl::Duration now) {
  if (samples_.empty()) samples_.push_back({now, done});
  if (now - began_ < kWorthALine || now - drawn_ < kLineInterval) return "";
  drawn_ = now;
  visible_ = true;
  if (done < samples_.back().done) samples_.clear();
  samples_.push_back({now, done});
  while (now - samples_.front().time > kRateWindow && samples_.size() > 2) samples_.pop_front();
  return absl::StrCat("\r", Line(done, total), "\033[K");
}

std::string Progress::Finish() {
  if (!visible_) return "";
  visible_ = false;
  return kClearLine;
}

double Progress::Rate() const {
  const double seconds = absl::ToDoubleSeconds(samples_.back().time - samples_.front().time);
  return seconds > 0 ? static_cast<double>(samples_.back().done - samples_.front().done) / seconds : 0;
}

std::string Progress::Line(uint64_t done, uint64_t total) const {
  const double part = Part(done, total);
  // 100 % is the end, not nearly the end.
  const std::string begin = absl::StrFormat("%s %3d %%", what_, static_cast<int>(100 * part));
  std::string end =
      absl::StrCat(admin::HumanBytes(static_cast<double>(done)), " of ", admin::HumanBytes(static_cast<double>(total)));
  if (const double rate = Rate(); rate > 0) {
    const double left = static_cast<double>(total - std::min(done, total)) / rate;
    absl::StrAppend(&end, ", ", admin::HumanBytes(rate), "/s, ", admin::HumanDuration(absl::Seconds(left)), " left");
  }
  // A line that reaches the last column makes some terminals go to the next one.
  const size_t room = columns_ - std::min<size_t>(columns_, 1);
  const size_t rest = begin.size() + end.size() + 4;
  std::string line = absl::StrCat(begin, " ", end);
  if (room >= rest + kShortestBar) {
    line = absl::StrCat(begin, " [", Bar(part, std::min(room - rest, kLongestBar)), "] ", end);
  }
  return line.substr(0, room);
}

}  // namespace zrs::cli
