// What a storage has to offer to its followers. Plain value; any thread.
#ifndef ZRS_SIDECAR_REPLICATION_PUBLICATION_H_
#define ZRS_SIDECAR_REPLICATION_PUBLICATION_H_

#include <cstdint>

#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "proto/zrs/v1/replication.pb.h"

namespace zrs::replication {

struct Publication {
  v1::Lineage lineage;
  filestorage::Magic magic = filestorage::Magic::kFs30;
  filestorage::Boundary end;  // committed and durable here; offset 0: nothing to serve yet
  uint32_t file_mode = 0;     // permission bits of the file, of 0777; 0: not known
  bool secondary = false;     // this host is a secondary
  bool unheard = false;       // it is one, and hears nothing of a primary at present
  bool yields = false;        // it is one that was a primary, and a person told it to follow: it follows nobody yet
  // It is one, and its file was never yet all that its upstream has: the rest is on its way. Or it is a primary that
  // has not looked through all of its file yet.
  bool incomplete = false;
  v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_PUBLICATION_H_
