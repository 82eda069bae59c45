// The place of a storage's source, which changes with its role.
#ifndef ZRS_SIDECAR_STORAGE_SOURCE_SLOT_H_
#define ZRS_SIDECAR_STORAGE_SOURCE_SLOT_H_

#include "absl/status/statusor.h"
#include "sidecar/storage/committed_bytes.h"

namespace zrs::storage {

// What publishers read from, whatever the source is at the moment. Threads as CommittedBytes'.
class SourceSlot final : public CommittedBytes {
 public:
  // On the I/O thread; null: there is none. The source before is not touched by that thread any more.
  void SetForIo(CommittedBytes* source) { io_ = source; }
  // On the strand.
  void SetForStrand(const CommittedBytes* source) { strand_ = source; }

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) override {
    return io_ != nullptr ? io_->Read(offset, out) : Closed();
  }
  bool RemembersPosition(const replication::OldPosition& position) override {
    return io_ != nullptr && io_->RemembersPosition(position);
  }
  bool OldFileIsOf(const replication::OldPosition& position) override {
    return io_ != nullptr && io_->OldFileIsOf(position);
  }
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out) override {
    return io_ != nullptr ? io_->ReadOld(offset, out) : Closed();
  }
  const char* Fresh(uint64_t offset, uint64_t size) const override {
    return strand_ != nullptr ? strand_->Fresh(offset, size) : nullptr;
  }

 private:
  static absl::Status Closed() {
    return absl::FailedPreconditionError("the file is closed: its storage changes roles");
  }

  CommittedBytes* io_ = nullptr;
  const CommittedBytes* strand_ = nullptr;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SOURCE_SLOT_H_
