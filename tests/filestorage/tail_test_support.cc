#include "tests/filestorage/tail_test_support.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "gtest/gtest.h"

namespace zrs::tests {
namespace {

using filestorage::Boundary;
using filestorage::File;
using filestorage::FileInfo;

constexpr auto kMagic = filestorage::Magic::kFs30;

// A test's own tool that fails makes the test meaningless.
void Require(const absl::Status& status) {
  if (status.ok()) return;
  ADD_FAILURE() << status;
  abort();
}

class SpyFile final : public File {
 public:
  SpyFile(std::unique_ptr<File> base, Spy& spy) : base_(std::move(base)), spy_(spy) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> out) override {
    ++spy_.reads;
    auto count = IsTorn(offset, out.size()) ? TornRead(offset, out) : base_->ReadAt(offset, out);
    if (!count.ok()) return count;
    spy_.read_bytes += *count;
    spy_.on_read_done(out.subspan(0, *count));
    return count;
  }
  absl::Status Sync() override {
    ++spy_.syncs;
    spy_.on_sync();
    return spy_.sync_status.ok() ? base_->Sync() : spy_.sync_status;
  }
  absl::StatusOr<FileInfo> Stat() override { return base_->Stat(); }
  absl::Status SetAccess(const filestorage::FileAccess& access) override { return base_->SetAccess(access); }
  absl::Status LockExclusively() override { return base_->LockExclusively(); }
  const std::string& path() const override { return base_->path(); }
  absl::Status WriteAt(uint64_t, absl::string_view) override { return absl::InternalError("a tail writes"); }
  absl::Status Truncate(uint64_t) override { return absl::InternalError("a tail truncates"); }

 private:
  bool IsTorn(uint64_t offset, uint64_t size) {
    if (spy_.torn_read == 0 || offset > spy_.torn_at || spy_.torn_at >= offset + size) return false;
    return --spy_.torn_read == 0;
  }

  absl::StatusOr<size_t> TornRead(uint64_t offset, absl::Span<char> out) {
    const size_t first_size = static_cast<size_t>(spy_.torn_at - offset);
    const auto first = base_->ReadAt(offset, out.subspan(0, first_size));
    spy_.torn();
    if (!first.ok() || *first < first_size) return first;
    const auto second = base_->ReadAt(offset + first_size, out.subspan(first_size));
    if (!second.ok()) return second;
    return first_size + *second;
  }

  std::unique_ptr<File> base_;
  Spy& spy_;
};

absl::Status NotForTails() { return absl::InternalError("a tail changes the file system"); }

}  // namespace

ScratchDirectory::ScratchDirectory(const std::string& parent) {
  std::string pattern = (parent.empty() ? testing::TempDir() : parent) + "/zrs_tail_XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Require(absl::InternalError("mkdtemp " + pattern));
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() { std::filesystem::remove_all(path_); }

tests::TransactionSpec Transaction(filestorage::Tid tid, size_t data_size) {
  std::string data = absl::StrCat("data of ", tid, " ");
  while (data.size() < data_size) data += data;
  data.resize(data_size);
  tests::TransactionSpec transaction;
  transaction.tid = tid;
  transaction.user = "user";
  transaction.description = "a transaction";
  transaction.records = {{.oid = 1, .data = data}};
  return transaction;
}

Boundary BoundaryBehind(absl::string_view transaction, uint64_t offset) {
  Boundary boundary;
  boundary.offset = offset + transaction.size();
  boundary.last_offset = offset;
  boundary.tid = filestorage::DecodeTransactionHeader(transaction).tid;
  boundary.digest = filestorage::DigestOf(absl::StrCat(filestorage::MagicBytes(kMagic), transaction));
  return boundary;
}

SimulatedWriter::SimulatedWriter(filestorage::FileSystem& file_system, const std::string& path) {
  auto file = file_system.CreateExclusively(path, 0644);
  Require(file.status());
  file_ = *std::move(file);
  end_ = filestorage::FirstBoundary(kMagic);
  WriteAt(0, filestorage::MagicBytes(kMagic));
}

SimulatedWriter::SimulatedWriter(filestorage::FileSystem& file_system, const std::string& path, const Boundary& end)
    : end_(end) {
  auto file = file_system.OpenForWriting(path);
  Require(file.status());
  file_ = *std::move(file);
}

void SimulatedWriter::WriteAt(uint64_t offset, absl::string_view bytes) { Require(file_->WriteAt(offset, bytes)); }

void SimulatedWriter::Truncate(uint64_t size) { Require(file_->Truncate(size)); }

void SimulatedWriter::Vote(const tests::TransactionSpec& transaction) {
  tests::TransactionSpec unfinished = transaction;
  unfinished.status = filestorage::kStatusInProgress;
  const std::string bytes = tests::EncodeTransaction(unfinished, end_.offset);
  const std::string final_bytes = tests::EncodeTransaction(transaction, end_.offset);
  voted_ = BoundaryBehind(final_bytes, end_.offset);
  voted_status_ = transaction.status;
  const size_t length_at = bytes.size() - filestorage::kLengthSize;
  const size_t body_at = std::min(filestorage::kTransactionHeaderSize, length_at);
  WriteAt(end_.offset, absl::string_view(bytes).substr(0, body_at));
  WriteAt(end_.offset + body_at, absl::string_view(bytes).substr(body_at, length_at - body_at));
  WriteAt(end_.offset + length_at, absl::string_view(bytes).substr(length_at));
}

void SimulatedWriter::Finish() {
  WriteAt(end_.offset + filestorage::kTransactionStatusOffset, absl::string_view(&voted_status_, 1));
  end_ = voted_;
}

void SimulatedWriter::Abort() { Truncate(end_.offset); }

void SimulatedWriter::Commit(const tests::TransactionSpec& transaction) {
  Vote(transaction);
  Finish();
}

absl::StatusOr<std::unique_ptr<File>> SpyFileSystem::OpenForReading(const std::string& path) {
  auto file = base_.OpenForReading(path);
  if (!file.ok()) return file;
  return std::make_unique<SpyFile>(*std::move(file), spy_);
}

absl::StatusOr<std::unique_ptr<File>> SpyFileSystem::OpenForWriting(const std::string&) { return NotForTails(); }
absl::StatusOr<std::unique_ptr<File>> SpyFileSystem::OpenOrCreate(const std::string&, uint32_t) {
  return NotForTails();
}
absl::StatusOr<std::unique_ptr<File>> SpyFileSystem::CreateExclusively(const std::string&, uint32_t) {
  return NotForTails();
}
absl::Status SpyFileSystem::Rename(const std::string&, const std::string&) { return NotForTails(); }
absl::Status SpyFileSystem::Link(const std::string&, const std::string&) { return NotForTails(); }
absl::Status SpyFileSystem::Remove(const std::string&) { return NotForTails(); }
absl::Status SpyFileSystem::SyncDirectory(const std::string&) { return NotForTails(); }
absl::Status SpyFileSystem::CreateDirectories(const std::string&, uint32_t) { return NotForTails(); }
absl::StatusOr<std::vector<std::string>> SpyFileSystem::List(const std::string&) { return NotForTails(); }
absl::StatusOr<uint64_t> SpyFileSystem::FreeBytes(const std::string&) { return NotForTails(); }

filestorage::TailReport PollToTheEnd(filestorage::Tail& tail) {
  for (;;) {
    auto report = tail.Poll();
    Require(report.status());
    if (!report->more) return *report;
  }
}

}  // namespace zrs::tests
