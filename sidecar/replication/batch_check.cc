#include "sidecar/replication/batch_check.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"

namespace zrs::replication {

using filestorage::Boundary;

absl::Status CheckBatch(const v1::Batch& batch, uint64_t offset, const Boundary& last, uint64_t largest) {
  if (batch.offset() != offset) {
    return absl::InvalidArgumentError(absl::StrCat("due is a batch at offset ", offset));
  }
  if (batch.data().empty()) return absl::InvalidArgumentError("it is empty");
  if (batch.data().size() > largest) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", batch.data().size(), " bytes, more than ", largest));
  }
  const absl::StatusOr<filestorage::Digest> digest = filestorage::Digest::FromBytes(batch.digest());
  if (!digest.ok()) return digest.status();
  if (*digest != filestorage::DigestOf(batch.data())) {
    return absl::DataLossError("its bytes do not have its digest: it was damaged on the way");
  }
  const absl::StatusOr<Boundary> predecessor = FromProto(batch.predecessor());
  if (!predecessor.ok()) return predecessor.status();
  if (*predecessor == last) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "it follows a transaction that ends at ", DescribePosition(*predecessor), " with digest ",
      predecessor->digest.ToHex(), ", ours ends at ", DescribePosition(last), " with digest ", last.digest.ToHex()));
}

}  // namespace zrs::replication
