// The handshake's decision, as one pure function.
#ifndef ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_
#define ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_

#include <string>
#include <variant>

#include "filestorage/boundary.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/publisher_session.h"

namespace zrs::replication {

inline constexpr uint32_t kProtocolVersion = 1;

struct DecideCopy {};                                              // from the start
struct DecideProbe { filestorage::Boundary boundary; };            // resume if the file has this boundary, else diverged
struct DecideRefuse { v1::End end; };
using HandshakeDecision = std::variant<DecideCopy, DecideProbe, DecideRefuse>;

// What a publisher answers to a follower's hello.
//   no common protocol version            refuse VERSION, naming both sides' versions
//   no file (offset 0)                    copy; but OTHER_DATABASE when it already has another id
//   a file, but no database id            refuse UNPROVED
//   another database id                   refuse OTHER_DATABASE
//   epoch unknown here                    refuse SUPERSEDED if the follower's lineage goes on past ours, else DIVERGED
//   past our committed end                refuse DIVERGED (naming both positions)
//   else                                  probe: equal resumes, different is DIVERGED
HandshakeDecision DecideHandshake(const Publication& publication, const v1::Hello& hello);

// The refusal for a boundary that the probe did not find.
v1::End DivergedEnd(const Publication& publication, const filestorage::Boundary& follower);

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_HANDSHAKE_H_
