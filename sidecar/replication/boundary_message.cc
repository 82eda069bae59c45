#include "sidecar/replication/boundary_message.h"

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "filestorage/format.h"

namespace zrs::replication {
namespace {

constexpr uint64_t kSmallestTransaction = filestorage::kTransactionHeaderSize + filestorage::kLengthSize;

absl::Status Malformed(absl::string_view what) { return absl::InvalidArgumentError(what); }

absl::StatusOr<filestorage::Boundary> NoFile(const v1::Boundary& boundary) {
  if (boundary.last_offset() != 0 || boundary.tid() != 0 || !boundary.digest().empty()) {
    return Malformed("boundary at offset 0 has a last transaction or a digest");
  }
  return filestorage::Boundary{};
}

absl::Status ValidateOffsets(const v1::Boundary& boundary) {
  const uint64_t offset = boundary.offset();
  const uint64_t last = boundary.last_offset();
  if (offset < filestorage::kMagicSize || offset > kLargestOffset) {
    return Malformed(absl::StrCat("boundary at impossible offset ", offset));
  }
  if (offset == filestorage::kMagicSize) {
    if (last != 0 || boundary.tid() != 0) return Malformed("boundary behind the magic has a last transaction");
    return absl::OkStatus();
  }
  if (last < filestorage::kMagicSize || last > offset || offset - last < kSmallestTransaction) {
    return Malformed(absl::StrCat("boundary at offset ", offset, " with impossible last_offset ", last));
  }
  return absl::OkStatus();
}

}  // namespace

v1::Boundary ToProto(const filestorage::Boundary& boundary) {
  v1::Boundary message;
  if (boundary.offset == 0) return message;
  message.set_offset(boundary.offset);
  message.set_last_offset(boundary.last_offset);
  message.set_tid(boundary.tid);
  message.set_digest(boundary.digest.ToBytes());
  return message;
}

absl::StatusOr<filestorage::Boundary> FromProto(const v1::Boundary& boundary) {
  if (boundary.offset() == 0) return NoFile(boundary);
  if (absl::Status offsets = ValidateOffsets(boundary); !offsets.ok()) return offsets;
  absl::StatusOr<filestorage::Digest> digest = filestorage::Digest::FromBytes(boundary.digest());
  if (!digest.ok()) {
    return Malformed(absl::StrCat("boundary with a digest of ", boundary.digest().size(), " bytes, not 16"));
  }
  return filestorage::Boundary{boundary.offset(), boundary.last_offset(), boundary.tid(), *digest};
}

std::string DescribePosition(const filestorage::Boundary& boundary) {
  if (boundary.offset == 0) return "no file";
  if (boundary.offset == filestorage::kMagicSize) return absl::StrCat("offset ", boundary.offset, " (no transactions)");
  return absl::StrCat("offset ", boundary.offset, " (tid ", filestorage::TidHex(boundary.tid), ")");
}

}  // namespace zrs::replication
