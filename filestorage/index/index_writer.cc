#include "filestorage/index/index_writer.h"

#include <cassert>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kWriteSize = size_t{1} << 20;

}  // namespace

IndexWriter::IndexWriter(File& file, IndexDialect dialect, uint64_t position)
    : file_(file), dialect_(dialect), buffer_(EncodeIndexPosition(dialect, position)) {}

absl::Status IndexWriter::Add(const IndexEntry& entry) {
  if (entry.position > kLargestIndexPosition) {
    return absl::OutOfRangeError(absl::StrCat("writing the index ", file_.path(), ": a record begins at ",
                                              entry.position, ", and ZODB's index has no positions above ",
                                              kLargestIndexPosition, "; pack the data file to make it smaller"));
  }
  if (!bucket_.empty() && PrefixOf(bucket_.back().oid) != PrefixOf(entry.oid)) {
    if (absl::Status closed = CloseBucket(); !closed.ok()) return closed;
  }
  assert(bucket_.empty() || bucket_.back().oid < entry.oid);
  bucket_.push_back(entry);
  ++entries_;
  return absl::OkStatus();
}

absl::Status IndexWriter::Finish() {
  if (absl::Status closed = CloseBucket(); !closed.ok()) return closed;
  absl::StrAppend(&buffer_, IndexEnd(dialect_));
  return Flush();
}

absl::Status IndexWriter::CloseBucket() {
  if (bucket_.empty()) return absl::OkStatus();
  AppendIndexBucket(dialect_, bucket_, &buffer_);
  bucket_.clear();
  return buffer_.size() < kWriteSize ? absl::OkStatus() : Flush();
}

absl::Status IndexWriter::Flush() {
  if (absl::Status written = file_.WriteAt(written_, buffer_); !written.ok()) return written;
  written_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

}  // namespace zrs::filestorage
