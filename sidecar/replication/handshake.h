// The handshake's decision, as one pure function.
#ifndef ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_
#define ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_

#include <cstdint>
#include <optional>
#include <variant>

#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/known_followers.h"
#include "sidecar/replication/publication.h"

namespace zrs::replication {

// The protocol versions that this release speaks, as publisher and as follower.
inline constexpr uint32_t kLowestProtocolVersion = 1;
inline constexpr uint32_t kProtocolVersion = 1;

// Copy from the start of the file.
struct DecideCopy {};
// Resume if the file has this boundary, else DivergedEnd.
struct DecideProbe {
  filestorage::Boundary boundary;
};
// The follower's file is one that ours took the place of. Rebuild, if that file had this position (which is certain
// where `proved`), else OldPositionEnd. From `part` on if our file has that boundary, else from the start.
struct DecideRebuild {
  OldPosition position;
  bool proved = false;
  std::optional<filestorage::Boundary> part;
};
// Answer what is asked about our file.
struct DecideInspect {};
struct DecideRefuse {
  v1::End end;
};
using HandshakeDecision = std::variant<DecideCopy, DecideProbe, DecideRebuild, DecideInspect, DecideRefuse>;

// What a publisher answers to a follower's hello. The first row that fits decides.
//   nothing to serve yet                  refuse NOT_READY
//   lowest version 0 or above the highest refuse PROTOCOL
//   no common protocol version            refuse VERSION, naming both sides' versions
//   malformed: ids, position, lineage or
//     names of impossible size or shape   refuse PROTOCOL, naming the field
//   inspects, and names no other database inspect
//   no file (offset 0), no database id    copy
//   a file, but no database id            refuse UNPROVED
//   another database id                   refuse OTHER_DATABASE; with takes_identity where the publication has it and
//                                         the follower has transactions
//   of its lineage, as LineageToGoOnFrom leaves it, the epoch unknown here, and
//     it yields                           refuse DIVERGED
//     the follower's lineage goes on past
//     ours, or has epochs of ours and is
//     of a later generation               refuse SUPERSEDED: this is a stale primary
//     it has epochs of ours, and is of
//     the same generation                 refuse CONFLICT: there are two primaries
//     else                                refuse DIVERGED; where its epoch, or ours, may be one that is forgotten, the
//                                         message says so
//   no file, epoch known here             copy
//   past the fork that ended its epoch    refuse DIVERGED, naming both positions
//   our own copy is incomplete, and the
//     file was replaced since, or the
//     follower is past our committed end  refuse NOT_READY: what would prove it may be still to come
//   the file was replaced since, and
//     no transactions, or exactly where the
//     old file was left, or the follower
//     rebuilds for a later epoch          rebuild: the position is proved
//     past where the old file was left    refuse DIVERGED, naming both positions
//     else                                rebuild, if the old file had the boundary (which, where it was replaced
//                                         more than once, the known followers can tell, and that file where it is
//                                         known to be the follower's), else DIVERGED
//   past our committed end                refuse DIVERGED, naming both positions
//   else                                  probe: equal resumes, different is DIVERGED
HandshakeDecision DecideHandshake(const Publication& publication, const v1::Hello& hello);

// The refusal for a boundary that the probe did not find.
v1::End DivergedEnd(const Publication& publication, const filestorage::Boundary& follower);

// The refusal for a position that the file which the follower is a copy of is not known to have had.
v1::End OldPositionEnd(const filestorage::Boundary& follower);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_
