// The follower's side of the handshake, as one pure function: nobody is followed on their word alone.
#ifndef ZRS_SIDECAR_REPLICATION_WELCOME_H_
#define ZRS_SIDECAR_REPLICATION_WELCOME_H_

#include <variant>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/copy.h"

namespace zrs::replication {

struct AcceptWelcome {
  filestorage::Magic magic = filestorage::Magic::kFs30;
  filestorage::Boundary start;
  v1::Welcome::Decision decision = v1::Welcome::DECISION_UNSPECIFIED;  // one of the others
};
struct RefuseWelcome {
  v1::End end;
};
using WelcomeDecision = std::variant<AcceptWelcome, RefuseWelcome>;

// What a follower with `copy` makes of a publisher's welcome. The first row that fits decides.
//   a version that was not offered                        refuse PROTOCOL
//   malformed lineage, none, malformed magic or boundary  refuse PROTOCOL
//   another database id than ours                         refuse OTHER_DATABASE
//   of our lineage, as LineageToGoOnFrom leaves it:
//     it goes on past theirs                              refuse SUPERSEDED
//     our epoch unknown there                             refuse DIVERGED
//   COPY, though we have a file                           refuse PROTOCOL
//   RESUME, without a file, or from elsewhere, or with
//   another magic than our file's, or though the
//   publisher's file was replaced since our epoch         refuse PROTOCOL
//   REBUILD, without a file, or in our own epoch, or from
//   elsewhere than the start or our part of that file     refuse PROTOCOL
//   no decision, or one that we do not know               refuse PROTOCOL
//   committed end before the start, or impossible         refuse PROTOCOL
//   else                                                  accept
WelcomeDecision CheckWelcome(const Copy& copy, const v1::Welcome& welcome);

// The same as far as that goes for every follower, whatever it has: InvalidArgument for what is refused with PROTOCOL
// in the first two rows and the last but one. The decision may be any.
absl::StatusOr<AcceptWelcome> ParseWelcome(const v1::Welcome& welcome);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_WELCOME_H_
