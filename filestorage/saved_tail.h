// Tails that were cut off a data file and saved beside it (`Data.fs.tr0` and so on), by ZODB or by recovery.
#ifndef ZRS_FILESTORAGE_SAVED_TAIL_H_
#define ZRS_FILESTORAGE_SAVED_TAIL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

// A saved tail, read only, as though it lay in its data file: positions are that file's. It is what was behind the
// committed end, without a magic: transactions that were voted and not finished, one that was not wholly written, an
// announcement (announcement.h), or what was damaged, and whatever followed. Used by one thread. Blocks.
class SavedTail final : public File {
 public:
  // InvalidArgument where it does not begin with a transaction's header.
  static absl::StatusOr<std::unique_ptr<SavedTail>> Open(std::unique_ptr<File> file);

  // Where it was cut off its data file; nothing where none of its records tells.
  std::optional<uint64_t> cut_at() const { return cut_at_; }
  // The position of its first byte: cut_at(), or that of a data file's first transaction.
  uint64_t begin() const { return cut_at_.value_or(kMagicSize); }

  // Where the transaction at `position` is marked as in progress, or announced: from now on its header reads as though
  // it had been finished, and true is answered. One at a time: the one before reads as it is again.
  absl::StatusOr<bool> Finish(uint64_t position);

  // Reading: bytes before begin() are none. Everything that writes is FailedPrecondition.
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override;
  absl::StatusOr<FileInfo> Stat() override;
  absl::Status WriteAt(uint64_t offset, absl::string_view data) override;
  absl::Status Truncate(uint64_t size) override;
  absl::Status Sync() override;
  absl::Status SetAccess(const FileAccess& access) override;
  absl::Status LockExclusively() override;
  const std::string& path() const override { return file_->path(); }

 private:
  explicit SavedTail(std::unique_ptr<File> file) : file_(std::move(file)) {}
  absl::Status FindCut();
  // Of the transaction at `offset` of the tail, as though it were finished; empty where the tail ends within it.
  absl::StatusOr<std::string> ReadFinishedHeader(uint64_t offset);

  std::unique_ptr<File> file_;
  std::optional<uint64_t> cut_at_;
  uint64_t finished_at_ = 0;  // where `finished_` is read in place of what is in the file
  std::string finished_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_SAVED_TAIL_H_
