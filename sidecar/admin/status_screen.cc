#include "sidecar/admin/status_screen.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zrs::admin {
namespace {

std::string Bytes(double bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return absl::StrFormat(unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
}

std::string Bytes(uint64_t bytes) { return Bytes(static_cast<double>(bytes)); }

std::string Lag(bool known, uint64_t bytes, bool seconds_known, double seconds) {
  if (!known) return "unknown";
  if (bytes == 0) return "none";
  return absl::StrCat(Bytes(bytes), seconds_known ? absl::StrFormat(", %.3g s", seconds) : "");
}

void Line(std::string& out, absl::string_view label, absl::string_view text) {
  absl::StrAppendFormat(&out, "  %-10s %s\n", label, text);
}

void AppendPosition(std::string& out, const v1::StorageStatus& status) {
  if (!status.has_committed_end()) return;
  std::string text = absl::StrCat("offset ", status.committed_end(), " (", Bytes(status.committed_end()), ")");
  if (status.has_last_tid()) absl::StrAppend(&text, ", tid ", status.last_tid());
  if (status.has_last_tid_time()) absl::StrAppend(&text, " of ", status.last_tid_time());
  Line(out, "position", text);
}

void AppendProgress(std::string& out, const v1::StorageStatus& status) {
  if (!status.has_progress()) return;
  const v1::Progress& progress = status.progress();
  std::string text = absl::StrCat(Bytes(progress.bytes()), " of ", Bytes(progress.total()));
  if (progress.rate() > 0) absl::StrAppend(&text, ", ", Bytes(progress.rate()), "/s");
  if (progress.has_seconds_left()) absl::StrAppendFormat(&text, ", %.0f s left", progress.seconds_left());
  Line(out, "progress", text);
}

void AppendUpstream(std::string& out, const v1::StorageStatus& status) {
  if (!status.has_upstream()) return;
  const v1::Upstream& upstream = status.upstream();
  Line(out, "upstream",
       absl::StrCat(upstream.address(), upstream.connected() ? ", connected" : ", not connected",
                    upstream.has_since() ? absl::StrCat(" since ", upstream.since()) : ""));
  Line(out, "lag", Lag(status.has_lag_bytes(), status.lag_bytes(), status.has_lag_seconds(), status.lag_seconds()));
}

void AppendStorage(std::string& out, const v1::StorageStatus& status) {
  absl::StrAppend(&out, status.name(), "  ", status.role(), ", ", status.state(), "\n");
  Line(out, "file", status.path());
  AppendPosition(out, status);
  AppendProgress(out, status);
  AppendUpstream(out, status);
  for (const v1::Follower& follower : status.followers()) {
    Line(out, "follower",
         absl::StrCat(
             follower.peer(), ", ", follower.state(), ", lag ",
             Lag(follower.has_lag_bytes(), follower.lag_bytes(), follower.has_lag_seconds(), follower.lag_seconds())));
  }
  if (!status.has_error()) return;
  Line(out, "problem", absl::StrCat(status.error().message(), " (since ", status.error().since(), ")"));
  Line(out, "remedy", status.error().remedy());
}

}  // namespace

std::string StatusToScreen(const v1::StatusResponse& status) {
  std::string out = absl::StrCat("zrs ", status.version(), ", pid ", status.pid(), "\n");
  for (const v1::StorageStatus& storage : status.storages()) {
    out += "\n";
    AppendStorage(out, storage);
  }
  return out;
}

}  // namespace zrs::admin
