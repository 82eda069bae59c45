#include "sidecar/storage/secondary/lateness.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace zrs::storage {

Lateness Behind(absl::Duration max_lag) {
  return {absl::StrCat("more than max-lag (", absl::FormatDuration(max_lag), ") behind"),
          "it goes on; if it does not catch up, look at this host's disk and at the network, or raise max-lag"};
}

Lateness Unheard(const std::string& upstream) {
  return {absl::StrCat("nothing is heard of the primary over ", upstream, ", which is connected"),
          "look at the primary's zrs, and at those on the way to it: it may be stopped, or its host too busy"};
}

Lateness Unfinished(const std::string& upstream) {
  return {absl::StrCat("the connection to ", upstream, " has ended, and what came over it is still being written"),
          "zrs connects again once that is done; if it is not, look at this host's disk: it may be stuck"};
}

Lateness Unanswered(const std::string& upstream) {
  return {absl::StrCat(upstream, " takes the connection and does not answer"),
          "look at the zrs there: its disk may be stuck, or its host too busy; or something else listens there"};
}

std::string NamingStateFile(absl::string_view text, const std::string& state_path) {
  return absl::StrReplaceAll(text, {{"state file away", absl::StrCat("state file ", state_path, " away")}});
}

std::string RemedyOf(const replication::FollowerEnd& end, const std::string& state_path) {
  return end.remedy.empty() ? "zrs tries again by itself; look at the log of the upstream's zrs"
                            : NamingStateFile(end.remedy, state_path);
}

std::string RemedyOfLocalError(const absl::Status& error) {
  if (absl::IsFailedPrecondition(error) || absl::IsPermissionDenied(error) || absl::IsAlreadyExists(error)) {
    return "nothing was changed; mend that, then restart zrs";
  }
  return "nothing past the last synced position is trusted: check the disk, then restart zrs";
}

}  // namespace zrs::storage
