#include "filestorage/index/external_sort.h"

#include <algorithm>
#include <array>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zrs::filestorage {
namespace {

constexpr size_t kLeastEntries = 16;  // in memory, and in each buffer
constexpr size_t kLeastBuffer = size_t{4} << 10;
constexpr size_t kLargestBuffer = size_t{256} << 10;
constexpr size_t kMostRuns = 512;

size_t EntriesIn(size_t bytes) { return std::max(bytes / sizeof(IndexEntry), kLeastEntries); }

// Entries that are all in memory.
class InMemory final : public IndexEntrySource {
 public:
  explicit InMemory(const std::vector<IndexEntry>& entries) : entries_(entries) {}
  absl::StatusOr<bool> Next(IndexEntry* entry) override {
    if (at_ == entries_.size()) return false;
    *entry = entries_[at_++];
    return true;
  }

 private:
  const std::vector<IndexEntry>& entries_;
  size_t at_ = 0;
};

// Sorts by one byte of the oids, in the order that there is where that is the same.
void SortByByte(const std::vector<IndexEntry>& from, int shift, std::vector<IndexEntry>* to) {
  std::array<size_t, 256> counts{};
  for (const IndexEntry& entry : from) ++counts[entry.oid >> shift & 0xff];
  std::array<size_t, 256> at{};
  for (size_t byte = 1; byte < at.size(); ++byte) at[byte] = at[byte - 1] + counts[byte - 1];
  for (const IndexEntry& entry : from) (*to)[at[entry.oid >> shift & 0xff]++] = entry;
}

}  // namespace

class ExternalSort::RunReader {
 public:
  RunReader(File& file, const Run& run, size_t buffer_entries) : file_(file), run_(run), most_(buffer_entries) {}

  absl::StatusOr<bool> Next(IndexEntry* entry) {
    if (at_ == buffer_.size()) {
      const absl::StatusOr<bool> more = Fill();
      if (!more.ok() || !*more) return more;
    }
    *entry = buffer_[at_++];
    return true;
  }

 private:
  absl::StatusOr<bool> Fill() {
    const auto entries = std::min<uint64_t>(most_, (run_.end - run_.begin) / sizeof(IndexEntry));
    if (entries == 0) return false;
    buffer_.resize(static_cast<size_t>(entries));
    at_ = 0;
    const size_t size = buffer_.size() * sizeof(IndexEntry);
    const absl::StatusOr<size_t> read =
        file_.ReadAt(run_.begin, absl::MakeSpan(reinterpret_cast<char*>(buffer_.data()), size));
    if (!read.ok()) return read.status();
    if (*read < size) {
      return absl::DataLossError(
          absl::StrCat("reading ", file_.path(), " at ", run_.begin, ": what was written there is gone; try again"));
    }
    run_.begin += size;
    return true;
  }

  File& file_;
  Run run_;  // what is yet to be read
  const size_t most_;
  std::vector<IndexEntry> buffer_;
  size_t at_ = 0;
};

class ExternalSort::RunWriter {
 public:
  RunWriter(File& file, uint64_t begin, size_t buffer_entries) : file_(file), at_(begin), most_(buffer_entries) {}

  absl::Status Add(const IndexEntry& entry) {
    buffer_.push_back(entry);
    return buffer_.size() < most_ ? absl::OkStatus() : Flush();
  }

  absl::Status Flush() {
    absl::Status written = Write(buffer_);
    buffer_.clear();
    return written;
  }

  absl::Status Write(const std::vector<IndexEntry>& entries) {
    const absl::string_view bytes(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(IndexEntry));
    if (absl::Status written = file_.WriteAt(at_, bytes); !written.ok()) return written;
    at_ += bytes.size();
    return absl::OkStatus();
  }

  uint64_t end() const { return at_; }

 private:
  File& file_;
  uint64_t at_;
  const size_t most_;
  std::vector<IndexEntry> buffer_;
};

// Several runs as one; of one oid the entry of the last run that has it.
class ExternalSort::Merge final : public IndexEntrySource {
 public:
  Merge(File& file, absl::Span<const Run> runs, size_t buffer_entries) {
    for (const Run& run : runs) readers_.emplace_back(file, run, buffer_entries);
  }

  absl::StatusOr<bool> Next(IndexEntry* entry) override {
    if (!begun_) {
      begun_ = true;
      for (size_t run = 0; run < readers_.size(); ++run) {
        if (absl::Status status = Advance(run); !status.ok()) return status;
      }
    }
    if (heads_.empty()) return false;
    const IndexEntry first = heads_.top().entry;
    while (!heads_.empty() && heads_.top().entry.oid == first.oid) {
      const size_t run = heads_.top().run;
      heads_.pop();
      if (absl::Status status = Advance(run); !status.ok()) return status;
    }
    *entry = first;
    return true;
  }

 private:
  struct Head {
    IndexEntry entry;
    size_t run = 0;
    // The smallest oid on top, and of the same ones that of the last run.
    bool operator<(const Head& other) const {
      return entry.oid != other.entry.oid ? entry.oid > other.entry.oid : run < other.run;
    }
  };

  absl::Status Advance(size_t run) {
    Head head;
    head.run = run;
    const absl::StatusOr<bool> more = readers_[run].Next(&head.entry);
    if (!more.ok()) return more.status();
    if (*more) heads_.push(head);
    return absl::OkStatus();
  }

  std::vector<RunReader> readers_;
  std::priority_queue<Head> heads_;
  bool begun_ = false;
};

ExternalSort::ExternalSort(size_t memory_limit, MakeFile make_file)
    : memory_limit_(memory_limit),
      // Half of it: sorting takes as much again.
      capacity_(EntriesIn(memory_limit / 2)),
      most_runs_(std::clamp<size_t>(memory_limit / 2 / kLeastBuffer, 2, kMostRuns)),
      make_file_(std::move(make_file)) {
  // What is never used of it is never touched; growing would take half as much again.
  entries_.reserve(capacity_);
}

ExternalSort::~ExternalSort() = default;

void ExternalSort::SortEntries() {
  scratch_.resize(entries_.size());
  // Most oids have most of their bytes in common, which need no sorting.
  uint64_t differing = 0;
  for (const IndexEntry& entry : entries_) differing |= entry.oid ^ entries_.front().oid;
  for (int shift = 0; shift < 64; shift += 8) {
    if ((differing >> shift & 0xff) == 0) continue;
    SortByByte(entries_, shift, &scratch_);
    entries_.swap(scratch_);
  }
  size_t kept = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (i + 1 < entries_.size() && entries_[i + 1].oid == entries_[i].oid) continue;
    entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
}

absl::Status ExternalSort::Spill() {
  if (file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<File>> file = make_file_();
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
  }
  SortEntries();
  RunWriter writer(*file_, file_size_, 0);
  if (absl::Status written = writer.Write(entries_); !written.ok()) return written;
  entries_.clear();
  runs_.push_back({.begin = file_size_, .end = writer.end(), .level = 0});
  file_size_ = writer.end();
  ++spills_;
  while (true) {
    const auto same =
        std::find_if(runs_.rbegin(), runs_.rend(), [this](const Run& run) { return run.level != runs_.back().level; });
    if (static_cast<size_t>(same - runs_.rbegin()) < most_runs_) return absl::OkStatus();
    if (absl::Status merged = MergeRuns(runs_.size() - most_runs_); !merged.ok()) return merged;
  }
}

absl::Status ExternalSort::MergeRuns(size_t first) {
  scratch_ = {};
  // One buffer more is for what is written.
  const size_t memory = memory_limit_ / 2;
  const std::unique_ptr<Merge> merge = OpenMerge(first, memory);
  RunWriter writer(*file_, file_size_, EntriesIn(std::min(memory / 8, kLargestBuffer)));
  IndexEntry entry;
  while (true) {
    const absl::StatusOr<bool> more = merge->Next(&entry);
    if (!more.ok()) return more.status();
    if (!*more) break;
    if (absl::Status added = writer.Add(entry); !added.ok()) return added;
  }
  if (absl::Status flushed = writer.Flush(); !flushed.ok()) return flushed;
  const Run merged = {.begin = file_size_, .end = writer.end(), .level = runs_.back().level + 1};
  runs_.resize(first);
  runs_.push_back(merged);
  file_size_ = merged.end;
  return absl::OkStatus();
}

std::unique_ptr<ExternalSort::Merge> ExternalSort::OpenMerge(size_t first, size_t memory) {
  const absl::Span<const Run> runs = absl::MakeConstSpan(runs_).subspan(first);
  return std::make_unique<Merge>(*file_, runs, EntriesIn(std::min(memory / (runs.size() + 1), kLargestBuffer)));
}

absl::StatusOr<std::unique_ptr<IndexEntrySource>> ExternalSort::Finish() {
  if (file_ == nullptr) {
    SortEntries();
    scratch_ = {};
    return std::make_unique<InMemory>(entries_);
  }
  if (!entries_.empty()) {
    if (absl::Status spilled = Spill(); !spilled.ok()) return spilled;
  }
  entries_ = {};
  scratch_ = {};
  while (runs_.size() > most_runs_) {
    if (absl::Status merged = MergeRuns(runs_.size() - most_runs_); !merged.ok()) return merged;
  }
  return OpenMerge(0, memory_limit_);
}

}  // namespace zrs::filestorage
