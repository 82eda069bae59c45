// What a secondary is doing, and its name in the status. Plain values; any thread.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_STATE_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_STATE_H_

#include "sidecar/storage/secondary/upstream_connection.h"

namespace zrs::storage {

enum class SecondaryState { kStarting, kProving, kConnecting, kFollowing, kDiverged, kDiskFull, kStopped };

// `upstream`: the present connection; null where there is none.
const char* StateName(SecondaryState state, bool paused, const UpstreamConnection* upstream);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_SECONDARY_STATE_H_
