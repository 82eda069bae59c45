#include "sidecar/storage/secondary/secondary_state.h"

namespace zrs::storage {

const char* StateName(SecondaryState state, bool paused, const UpstreamConnection* upstream) {
  switch (state) {
    case SecondaryState::kStarting:
      return "starting";
    case SecondaryState::kProving:
      return "proving";
    case SecondaryState::kConnecting:
      return "connecting";
    case SecondaryState::kFollowing:
      if (paused) return "paused";
      if (upstream == nullptr) return "streaming";
      if (upstream->over()) return "connecting";
      if (upstream->session().rebuilding()) return "rebuilding";
      return upstream->session().state() == replication::FollowerSession::State::kCopying ? "copying" : "streaming";
    case SecondaryState::kDiverged:
      return "diverged";
    case SecondaryState::kDiskFull:
      return "disk-full";
    case SecondaryState::kStopped:
      return "stopped";
  }
  return "stopped";
}

}  // namespace zrs::storage
