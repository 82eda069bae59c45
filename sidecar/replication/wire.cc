#include "sidecar/replication/wire.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/text/printable.h"

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

absl::Status ValidateLineage(const v1::Lineage& lineage) {
  if (lineage.database_id().empty()) {
    return lineage.epochs().empty() ? absl::OkStatus() : Malformed("lineage with epochs but without a database id");
  }
  if (lineage.database_id().size() != kIdSize) {
    return Malformed(absl::StrCat("database id of ", lineage.database_id().size(), " bytes, not 16"));
  }
  if (lineage.epochs().empty()) return Malformed("lineage with a database id but without epochs");
  if (lineage.epochs_size() > kMostEpochs) {
    return Malformed(
        absl::StrCat("lineage of ", lineage.epochs_size(), " epochs; this release understands at most ", kMostEpochs));
  }
  std::set<absl::string_view> seen;
  uint64_t generation = 1;
  for (const v1::Epoch& epoch : lineage.epochs()) {
    if (epoch.id().size() != kIdSize)
      return Malformed(absl::StrCat("epoch id of ", epoch.id().size(), " bytes, not 16"));
    if (!seen.insert(epoch.id()).second)
      return Malformed("lineage that names an epoch twice: " + DescribeId(epoch.id()));
    if (absl::Status left = FromProto(epoch.left()).status(); !left.ok()) return left;
    if (epoch.generation() < generation) {
      return Malformed(
          absl::StrCat("epoch of generation ", epoch.generation(), " where at least ", generation, " is due"));
    }
    generation = epoch.generation();
  }
  return absl::OkStatus();
}

void AddEpoch(v1::Epoch epoch, v1::Lineage* lineage) {
  *lineage->add_epochs() = std::move(epoch);
  const int surplus = lineage->epochs_size() - kMostEpochs;
  if (surplus > 0) lineage->mutable_epochs()->DeleteSubrange(0, surplus);
}

filestorage::Boundary LeftBoundary(const v1::Epoch& epoch) {
  const absl::StatusOr<filestorage::Boundary> left = FromProto(epoch.left());
  return left.ok() ? *left : filestorage::Boundary{};
}

const v1::Epoch* CurrentEpoch(const v1::Lineage& lineage) {
  return lineage.epochs().empty() ? nullptr : &lineage.epochs(lineage.epochs_size() - 1);
}

int CommonEpochs(const v1::Lineage& a, const v1::Lineage& b) {
  if (a.database_id() != b.database_id()) return 0;
  const int most = std::min(a.epochs_size(), b.epochs_size());
  int common = 0;
  while (common < most && a.epochs(common).id() == b.epochs(common).id()) ++common;
  return common;
}

int PositionIn(const v1::Lineage& longer, const v1::Lineage& lineage) {
  const v1::Epoch* current = CurrentEpoch(lineage);
  if (current == nullptr || lineage.database_id() != longer.database_id()) return -1;
  int position = longer.epochs_size() - 1;
  while (position >= 0 && longer.epochs(position).id() != current->id()) --position;
  // What both know of the time before has to be the same. Either may have forgotten its oldest epochs.
  for (int ours = position, theirs = lineage.epochs_size() - 1; ours >= 0 && theirs >= 0; --ours, --theirs) {
    if (longer.epochs(ours).id() != lineage.epochs(theirs).id()) return -1;
  }
  return position;
}

bool IsPrefixOf(const v1::Lineage& lineage, const v1::Lineage& longer) { return PositionIn(longer, lineage) >= 0; }

absl::Status ValidateHeartbeat(const v1::Heartbeat& heartbeat) {
  if (heartbeat.path().empty()) return Malformed("heartbeat without a path");
  if (heartbeat.path_size() > kLongestPath) {
    return Malformed(absl::StrCat("heartbeat that passed ", heartbeat.path_size(), " nodes, more than ", kLongestPath));
  }
  for (const std::string& node : heartbeat.path()) {
    if (node.size() != kIdSize)
      return Malformed(absl::StrCat("heartbeat with a node id of ", node.size(), " bytes, not 16"));
  }
  if (heartbeat.committed_end() < filestorage::kMagicSize || heartbeat.committed_end() > kLargestOffset) {
    return Malformed(absl::StrCat("heartbeat with impossible committed end ", heartbeat.committed_end()));
  }
  if (heartbeat.interval_micros() == 0 || heartbeat.interval_micros() > kMostMicros) {
    return Malformed(absl::StrCat("heartbeat with impossible interval ", heartbeat.interval_micros(), " us"));
  }
  if (heartbeat.age_micros() > kMostMicros) {
    return Malformed(absl::StrCat("heartbeat with impossible age ", heartbeat.age_micros(), " us"));
  }
  return absl::OkStatus();
}

v1::End MakeEnd(v1::End::Reason reason, absl::string_view message, absl::string_view remedy) {
  v1::End end;
  end.set_reason(reason);
  end.set_message(text::Clean(message, kLongestEndText));
  end.set_remedy(text::Clean(remedy, kLongestEndText));
  return end;
}

std::string DescribePosition(const filestorage::Boundary& boundary) {
  if (boundary.offset == 0) return "no file";
  if (boundary.offset == filestorage::kMagicSize) return absl::StrCat("offset ", boundary.offset, " (no transactions)");
  return absl::StrCat("offset ", boundary.offset, " (tid ", filestorage::TidHex(boundary.tid), ")");
}

std::string DescribeId(absl::string_view id) { return id.empty() ? "none" : absl::BytesToHexString(id); }

}  // namespace zrs::replication
