// What a comparison of two whole files comes to on either side: one digest of all ranges that it asked about.
#ifndef ZRS_SIDECAR_REPLICATION_RANGE_CHAIN_H_
#define ZRS_SIDECAR_REPLICATION_RANGE_CHAIN_H_

#include <cstdint>

#include "filestorage/digest.h"
#include "filestorage/format.h"

namespace zrs::replication {

// Both sides have the same one where they have the same bytes behind the magic up to the same end (Vouch.proof in
// replication.proto). Plain value; any thread.
class RangeChain {
 public:
  // The range's own digest. Only the one that begins where the last one ended counts; the first one begins behind the
  // magic.
  void Add(uint64_t begin, uint64_t end, const filestorage::Digest& digest);

  // All before it counts.
  uint64_t end() const { return end_; }
  const filestorage::Digest& digest() const { return digest_; }

 private:
  uint64_t end_ = filestorage::kMagicSize;
  filestorage::Digest digest_;
};

}  // namespace zrs::replication

#endif  // ZRS_SIDECAR_REPLICATION_RANGE_CHAIN_H_
