// A file as if it ended earlier.
#ifndef ZRS_FILESTORAGE_INDEX_BEGINNING_OF_FILE_H_
#define ZRS_FILESTORAGE_INDEX_BEGINNING_OF_FILE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "filestorage/file_system.h"

namespace zrs::filestorage {

// For reading. As File says; of `file`, which outlives it, nothing at or behind `end` (bytes) is told.
class BeginningOfFile final : public File {
 public:
  BeginningOfFile(File& file, uint64_t end) : file_(file), end_(end) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override {
    const uint64_t left = end_ - std::min(end_, offset);
    return left == 0 ? 0
                     : file_.ReadAt(offset, out.subspan(0, static_cast<size_t>(std::min<uint64_t>(left, out.size()))));
  }
  absl::StatusOr<FileInfo> Stat() override {
    absl::StatusOr<FileInfo> info = file_.Stat();
    if (info.ok()) info->size = std::min(info->size, end_);
    return info;
  }
  absl::Status WriteAt(uint64_t, absl::string_view) override { return ForReadingOnly(); }
  absl::Status Truncate(uint64_t) override { return ForReadingOnly(); }
  absl::Status Sync() override { return file_.Sync(); }
  absl::Status SetAccess(const FileAccess&) override { return ForReadingOnly(); }
  absl::Status LockExclusively() override { return file_.LockExclusively(); }
  const std::string& path() const override { return file_.path(); }

 private:
  static absl::Status ForReadingOnly() { return absl::FailedPreconditionError("a part of a file is only read"); }

  File& file_;
  const uint64_t end_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_INDEX_BEGINNING_OF_FILE_H_
