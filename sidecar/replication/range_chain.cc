#include "sidecar/replication/range_chain.h"

#include "absl/strings/str_cat.h"

namespace zrs::replication {

using filestorage::EncodeUint64;

void RangeChain::Add(uint64_t begin, uint64_t end, const filestorage::Digest& digest) {
  if (begin != end_) return;
  digest_ =
      filestorage::DigestOf(absl::StrCat(digest_.ToBytes(), EncodeUint64(begin), EncodeUint64(end), digest.ToBytes()));
  end_ = end;
}

}  // namespace zrs::replication
