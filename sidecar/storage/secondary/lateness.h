// Why a secondary that is connected is not up to date, and what to do: for the status and the log.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_LATENESS_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_LATENESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sidecar/replication/follower_session.h"

namespace zrs::storage {

struct Lateness {
  std::string message;
  std::string remedy;
};

// More than `max_lag` behind.
Lateness Behind(absl::Duration max_lag);
// No fresh heartbeat, or no more bytes of what was begun.
Lateness Unheard(const std::string& upstream);
// The connection is over, and what came over it is not written yet.
Lateness Unfinished(const std::string& upstream);
// No answer to the hello.
Lateness Unanswered(const std::string& upstream);

// What to do about a difference from the upstream's file that a comparison found.
inline constexpr char kDifferenceRemedy[] =
    "nothing was changed. zrs verify, here and at the upstream, may tell which file is damaged. Where it is this one, "
    "zrs "
    "resync --dry-run says what of it would be given up, and zrs resync does that, and follows again; once the "
    "upstream "
    "was mended, zrs compare finds no difference, and it is followed again";

// The same where this file contradicts itself there, and the upstream's does not.
inline constexpr char kDamagedRemedy[] =
    "nothing was changed. It is this file that is damaged: zrs resync --dry-run says what of it would be given up, and "
    "zrs resync does that, after it was saved, and follows again";

// The same where it is the upstream's that does, and this one does not.
inline constexpr char kUpstreamDamagedRemedy[] =
    "nothing of this copy is to be given up for that. Stop the database and zrs on the upstream's host, put this file "
    "in the place of that one and start them again (hold this one by zrs pause while it is copied), or promote this "
    "one by zrs promote --force; then zrs compare finds no difference, and it is followed again";

// What to do about a copy that its upstream does not let go on.
inline constexpr char kDivergedRemedy[] =
    "both files are left as they are. Where the upstream's is right: zrs resync --dry-run says what of this one would "
    "be given up, and zrs resync does that, after it was saved, and follows again. Where this one is right: zrs "
    "promote --force here, and let the other follow it";

// Behind that, once it was compared: it does not go on by itself any more.
inline constexpr char kComparedRemedy[] =
    ". Once the upstream has all that is here (the right file was put back), zrs compare finds no difference, and it "
    "is followed again";

// `text` with the path of the state file that it tells to move away: the protocol and the file format know none.
std::string NamingStateFile(absl::string_view text, const std::string& state_path);

// What to do about the end of a stream: the peer's own word, or what can be done anyway.
std::string RemedyOf(const replication::FollowerEnd& end, const std::string& state_path);

// What to do about an error of the copy's disk or directory that does not heal by itself.
std::string RemedyOfLocalError(const absl::Status& error);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_LATENESS_H_
