#include "sidecar/admin/status_screen.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sidecar/admin/human_units.h"
#include "sidecar/admin/screen_lines.h"
#include "sidecar/admin/state_advice.h"
#include "sidecar/text/printable.h"

namespace zrs::admin {
namespace {

constexpr char kGreen[] = "\033[32m";
constexpr char kYellow[] = "\033[33m";
constexpr char kRed[] = "\033[31m";
constexpr char kPlain[] = "\033[0m";

std::string Bytes(uint64_t bytes) { return HumanBytes(static_cast<double>(bytes)); }

const char* ColorOf(const v1::StorageStatus& status) {
  switch (SeverityOf(status)) {
    case Severity::kGood:
      return kGreen;
    case Severity::kPassing:
      return kYellow;
    case Severity::kNeedsSomebody:
      return kRed;
  }
  return kYellow;
}

// How long ago `rfc3339` was; the text itself where it cannot be read.
std::string Age(const std::string& rfc3339, absl::Time now) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error)) return rfc3339;
  return HumanDuration(now - time);
}

template <typename Message>
std::string Lag(const Message& message) {
  if (!message.has_lag_bytes()) return "unknown";
  if (message.lag_bytes() == 0) return "none";
  const std::string seconds =
      message.has_lag_seconds() ? absl::StrCat(", ", HumanDuration(absl::Seconds(message.lag_seconds()))) : "";
  return absl::StrCat(Bytes(message.lag_bytes()), seconds);
}

std::string Position(const v1::StorageStatus& status, absl::Time now) {
  std::string text = absl::StrCat("offset ", status.committed_end(), " (", Bytes(status.committed_end()), ")");
  if (status.has_last_tid()) absl::StrAppend(&text, ", tid ", status.last_tid());
  if (status.has_last_tid_time()) absl::StrAppend(&text, ", ", Age(status.last_tid_time(), now), " ago");
  return text;
}

std::string ProgressText(const v1::Progress& progress) {
  std::string text = absl::StrCat(Bytes(progress.bytes()), " of ", Bytes(progress.total()));
  if (progress.total() > 0) {
    const double part = static_cast<double>(progress.bytes()) / static_cast<double>(progress.total());
    text = absl::StrFormat("%d %%, %s", static_cast<int>(100 * std::min(part, 1.0)), text);
  }
  if (progress.has_rate()) absl::StrAppend(&text, ", ", HumanBytes(progress.rate()), "/s");
  if (progress.has_seconds_left()) {
    absl::StrAppend(&text, ", ", HumanDuration(absl::Seconds(progress.seconds_left())), " left");
  }
  return text;
}

// A file that is on its way says nothing of what was committed since.
std::string UnknownLag(const v1::StorageStatus& status) {
  const bool under_way = status.state() == "rebuilding" || status.state() == "copying";
  return under_way ? "unknown until the file is here" : "unknown: no heartbeat of the primary comes in";
}

std::string UpstreamText(const v1::Upstream& upstream, absl::Time now) {
  const char* state = upstream.connected() ? "connected" : "not connected";
  return absl::StrCat(upstream.address(), ", ", state,
                      upstream.has_since() ? absl::StrCat(" for ", Age(upstream.since(), now)) : " so far");
}

std::string SwapText(const v1::LastSwap& swap, absl::Time now) {
  const std::string text = absl::StrCat(Age(swap.time(), now), " ago");
  if (!swap.has_command_error()) return text;
  return absl::StrCat(
      text, "; readers that keep the file open were not told, the on-swap command failed: ", swap.command_error());
}

void AddFollowers(ScreenLines& lines, const v1::StorageStatus& status, absl::Time now) {
  if (status.role() == "primary" && status.followers().empty()) lines.Add("followers", "none");
  std::vector<std::vector<std::string>> rows;
  for (const v1::Follower& follower : status.followers()) {
    rows.push_back({follower.peer(), follower.state(), absl::StrCat("lag ", Lag(follower)),
                    absl::StrCat("for ", Age(follower.connected_since(), now))});
  }
  lines.AddTable("followers", rows);
}

void AddStorage(ScreenLines& lines, const v1::StorageStatus& status, const ScreenOptions& options) {
  const std::string state = text::Clean(status.state());
  lines.Add(absl::StrCat(text::Clean(status.name()), ": ", status.role(), ", ",
                         options.colored ? absl::StrCat(ColorOf(status), state, kPlain) : state));
  lines.AddTable("file", {{status.path()}});
  if (status.has_blobs()) lines.Add("blobs", status.blobs());
  if (status.has_database_id()) lines.Add("database", status.database_id());
  if (status.has_committed_end()) lines.Add("committed", Position(status, options.now));
  if (status.has_watch()) lines.Add("watch", status.watch());
  if (status.has_progress()) lines.Add("progress", ProgressText(status.progress()));
  if (status.has_upstream()) {
    lines.Add("upstream", UpstreamText(status.upstream(), options.now));
    for (const v1::OtherUpstream& other : status.upstream().others()) {
      lines.Add("not followed", absl::StrCat(other.address(), ": ", other.why_not()));
    }
    lines.Add("lag", status.has_lag_bytes() ? Lag(status) : UnknownLag(status));
  }
  if (status.has_fencing_since()) {
    lines.Add("fence", absl::StrCat("the fence-command runs for ", Age(status.fencing_since(), options.now)));
  }
  if (status.has_checking()) {
    lines.Add(status.checking().purpose(), ProgressText(status.checking().progress()));
  } else if (status.has_scrub() && status.scrub().has_finished()) {
    lines.Add("scrubbed", absl::StrCat(Age(status.scrub().finished(), options.now), " ago: no difference"));
  }
  if (status.has_last_swap()) lines.Add("last swap", SwapText(status.last_swap(), options.now));
  AddFollowers(lines, status, options.now);
  const std::optional<Advice> advice = AdviceFor(status);
  if (!advice) return;
  const std::string since =
      status.has_error() ? absl::StrCat(" (for ", Age(status.error().since(), options.now), ")") : "";
  lines.Add("reason", absl::StrCat(advice->reason, since));
  lines.Add("next step", advice->next_step);
}

}  // namespace

std::string StatusToScreen(const v1::StatusResponse& status, const ScreenOptions& options) {
  ScreenLines lines(options.columns);
  lines.Add(absl::StrCat("zrs ", text::Clean(status.version()), ", pid ", status.pid()));
  for (const v1::StorageStatus& storage : status.storages()) {
    lines.Add("");
    AddStorage(lines, storage, options);
  }
  return lines.text();
}

}  // namespace zrs::admin
