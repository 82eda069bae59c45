#include "filestorage/index/index_builder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "filestorage/index/beginning_of_file.h"
#include "filestorage/index/external_sort.h"
#include "filestorage/index/index_writer.h"
#include "filestorage/index/record_collector.h"
#include "filestorage/index/saved_index.h"
#include "filestorage/read_magic.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kEntriesPerProgress = uint64_t{1} << 18;

// The entries of a saved index and those of the records behind it: of one oid the latter.
class Updated final : public IndexEntrySource {
 public:
  Updated(IndexEntrySource* saved, IndexEntrySource& later) : saved_(saved), later_(later) {}

  absl::StatusOr<bool> Next(IndexEntry* entry) override {
    if (absl::Status ready = FillHeads(); !ready.ok()) return ready;
    if (!saved_head_ && !later_head_) return false;
    const bool take_later = later_head_ && (!saved_head_ || later_head_->oid <= saved_head_->oid);
    *entry = take_later ? *later_head_ : *saved_head_;
    if (saved_head_ && saved_head_->oid == entry->oid) saved_head_.reset();
    if (take_later) later_head_.reset();
    return true;
  }

 private:
  absl::Status FillHeads() {
    if (!saved_head_ && saved_ != nullptr) {
      if (absl::Status filled = Fill(*saved_, &saved_head_); !filled.ok()) return filled;
      if (!saved_head_) saved_ = nullptr;
    }
    if (!later_head_ && !later_at_end_) {
      if (absl::Status filled = Fill(later_, &later_head_); !filled.ok()) return filled;
      later_at_end_ = !later_head_;
    }
    return absl::OkStatus();
  }

  static absl::Status Fill(IndexEntrySource& source, std::optional<IndexEntry>* head) {
    IndexEntry entry;
    const absl::StatusOr<bool> more = source.Next(&entry);
    if (!more.ok()) return more.status();
    if (*more) *head = entry;
    return absl::OkStatus();
  }

  IndexEntrySource* saved_;  // null: none, or at its end
  IndexEntrySource& later_;
  bool later_at_end_ = false;
  std::optional<IndexEntry> saved_head_;
  std::optional<IndexEntry> later_head_;
};

absl::Status ChangedMeanwhile(const std::string& path) {
  return absl::AbortedError(absl::StrCat("indexing ", path, ": it became shorter, or another file took its place ",
                                         "(a pack), meanwhile; try again"));
}

}  // namespace

class IndexBuilder {
 public:
  IndexBuilder(FileSystem& file_system, const std::string& path, const IndexOptions& options)
      : file_system_(file_system), path_(path), index_path_(IndexPath(path)), options_(options) {}

  absl::StatusOr<PreparedIndex> Run() {
    if (absl::Status opened = Open(); !opened.ok()) return opened;
    if (options_.go_on) {
      absl::StatusOr<std::unique_ptr<SavedIndex>> saved = SavedIndex::Open(file_system_, index_path_, *data_);
      absl::Status tried = saved.status();
      if (saved.ok() && (*saved)->dialect() != DialectOf(magic_)) {
        tried = absl::InvalidArgumentError(absl::StrCat("the index ", index_path_, " is of another Python's ZODB"));
      }
      if (tried.ok()) tried = Build(saved->get());
      if (tried.ok()) return Prepared();
      if (!absl::IsInvalidArgument(tried) && !absl::IsNotFound(tried)) return tried;
      report_ = {.not_gone_on = absl::IsNotFound(tried) ? absl::StrCat("there is no ", index_path_)
                                                        : std::string(tried.message())};
    }
    if (absl::Status built = Build(nullptr); !built.ok()) return built;
    return Prepared();
  }

 private:
  PreparedIndex Prepared() {
    PreparedIndex prepared(file_system_, path_, std::move(data_), info_);
    prepared.replacement_ = std::move(replacement_);
    prepared.report_ = std::move(report_);
    return prepared;
  }

  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<File>> data = file_system_.OpenForReading(path_);
    if (!data.ok()) return data.status();
    data_ = *std::move(data);
    const absl::StatusOr<FileInfo> info = data_->Stat();
    if (!info.ok()) return info.status();
    info_ = *info;
    const absl::StatusOr<FirstBytes> first = ReadMagic(*data_);
    if (!first.ok()) return first.status();
    if (!first->magic.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat("indexing ", path_, ": ",
                       first->size == 0 ? "the file is empty; check the path" : first->magic.status().message()));
    }
    magic_ = *first->magic;
    return absl::OkStatus();
  }

  // `saved`: to go on from; null: from the beginning. InvalidArgument where it is unfit after all.
  absl::Status Build(SavedIndex* saved) {
    // Before the long work: who may not write here, or is not alone, shall know at once.
    absl::StatusOr<std::unique_ptr<ReplacementFile>> created =
        ReplacementFile::Create(file_system_, index_path_, info_);
    if (!created.ok()) return created.status();
    ReplacementFile& replacement = **created;
    ExternalSort sort(options_.memory_limit, [&replacement] { return replacement.CreateScratch(); });
    const Boundary start = saved == nullptr ? FirstBoundary(magic_) : saved->end();
    const absl::StatusOr<uint64_t> end = Scan(start, sort);
    if (!end.ok()) return end.status();
    report_.position = *end;
    report_.scanned_bytes = *end - start.offset;
    report_.went_on_from = saved == nullptr ? 0 : start.offset;
    const absl::StatusOr<std::unique_ptr<IndexEntrySource>> later = sort.Finish();
    if (!later.ok()) return later.status();
    report_.spills = sort.spills();
    Updated entries(saved, **later);
    report_.written = saved == nullptr || *end != start.offset;
    IndexWriter writer(replacement.file(), DialectOf(magic_), *end);
    if (absl::Status written = Write(entries, writer); !written.ok()) return written;
    if (!report_.written) return absl::OkStatus();
    // What the index tells of must not be less durable than the index.
    if (absl::Status synced = SyncFile(*data_); !synced.ok()) return synced;
    if (absl::Status synced = replacement.Sync(); !synced.ok()) return synced;
    replacement_ = *std::move(created);
    return absl::OkStatus();
  }

  // The end of the last committed transaction.
  absl::StatusOr<uint64_t> Scan(const Boundary& start, ExternalSort& sort) {
    RecordCollector collector(sort);
    const auto keep_on = [&](uint64_t done, uint64_t total) {
      return collector.status().ok() && (!options_.progress || options_.progress(done, total));
    };
    BeginningOfFile part(*data_, std::max(options_.up_to, start.offset));
    const absl::StatusOr<CommittedScanReport> scan = ScanCommitted(
        part, magic_, start,
        {.transactions = &collector, .records = &collector, .on_restart = [&collector] { collector.OnRestart(); }},
        keep_on);
    if (!collector.status().ok()) {
      return absl::Status(collector.status().code(),
                          absl::StrCat("indexing ", path_, ": ", collector.status().message()));
    }
    if (!scan.ok()) return scan.status();
    if (!scan->sound) {
      return absl::DataLossError(absl::StrCat("indexing ", path_, " at ", scan->position, ": ", scan->reason,
                                              "; no index was written. zrs verify ", path_, " tells what to do"));
    }
    // A file that became shorter has lost transactions that were committed.
    if (!collector.is_whole() || scan->size < start.offset) return ChangedMeanwhile(path_);
    return scan->end.offset;
  }

  absl::Status Write(IndexEntrySource& entries, IndexWriter& writer) {
    IndexEntry entry;
    while (true) {
      const absl::StatusOr<bool> more = entries.Next(&entry);
      if (!more.ok()) return more.status();
      if (!*more) break;
      if (++report_.objects % kEntriesPerProgress == 0 && options_.progress &&
          !options_.progress(info_.size, info_.size)) {
        return absl::CancelledError(absl::StrCat("writing the index ", index_path_, " was stopped"));
      }
      if (!report_.written) continue;
      if (absl::Status added = writer.Add(entry); !added.ok()) return added;
    }
    return report_.written ? writer.Finish() : absl::OkStatus();
  }

  FileSystem& file_system_;
  const std::string path_;
  const std::string index_path_;
  const IndexOptions& options_;
  std::unique_ptr<File> data_;
  FileInfo info_;  // of the data file, at the beginning
  Magic magic_ = Magic::kFs30;
  std::unique_ptr<ReplacementFile> replacement_;  // once it is durable
  IndexReport report_;
};

PreparedIndex::PreparedIndex(FileSystem& file_system, std::string path, std::unique_ptr<File> data,
                             const FileInfo& info)
    : file_system_(file_system), path_(std::move(path)), data_(std::move(data)), info_(info) {}
PreparedIndex::~PreparedIndex() = default;
PreparedIndex::PreparedIndex(PreparedIndex&&) noexcept = default;

absl::Status PreparedIndex::PutInPlace() {
  if (!replacement_) return absl::OkStatus();
  if (absl::Status same = CheckIsStillThere(); !same.ok()) return same;
  if (absl::Status committed = replacement_->Commit(); !committed.ok()) return committed;
  // A pack may have put another file, and then its index, in their places since: one of the file before is worse than
  // none.
  absl::Status same = CheckIsStillThere();
  if (absl::IsAborted(same)) replacement_->TakeBack().IgnoreError();
  return same;
}

absl::Status PreparedIndex::CheckIsStillThere() const {
  const absl::StatusOr<FileInfo> now = file_system_.Stat(path_);
  if (!now.ok() && !absl::IsNotFound(now.status())) return now.status();
  const bool same = now.ok() && now->SameFile(info_) && now->size >= report_.position;
  return same ? absl::OkStatus() : ChangedMeanwhile(path_);
}

absl::StatusOr<PreparedIndex> PrepareIndex(FileSystem& file_system, const std::string& path,
                                           const IndexOptions& options) {
  return IndexBuilder(file_system, path, options).Run();
}

absl::StatusOr<IndexReport> BuildIndex(FileSystem& file_system, const std::string& path, const IndexOptions& options) {
  absl::StatusOr<PreparedIndex> prepared = PrepareIndex(file_system, path, options);
  if (!prepared.ok()) return prepared.status();
  if (absl::Status put = prepared->PutInPlace(); !put.ok()) return put;
  return prepared->report();
}

}  // namespace zrs::filestorage
