#include "filestorage/tail.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/in_progress.h"
#include "filestorage/read_magic.h"
#include "filestorage/tail_identity.h"
#include "filestorage/tail_pass.h"

namespace zrs::filestorage {
namespace {

// How often a poll looks again at bytes that change under it before it leaves them to the next poll.
constexpr int kAttempts = 4;

// Whether `now`, the bytes behind the committed end, no longer are what continues `before`: another vote's, or fewer.
// The status byte is left out, since it turns when the same transaction is finished.
bool WasTakenBack(absl::string_view before, absl::string_view now) {
  if (now.size() < before.size()) return true;
  for (size_t i = 0; i < before.size(); ++i) {
    if (i != kTransactionStatusOffset && before[i] != now[i]) return true;
  }
  return false;
}

// What is wrong with the bytes behind the committed end, which begin with `header`, of a file of `size`; empty where a
// writer may be at work on them. `size` was asked for before the header was read.
std::string Contradiction(absl::string_view header, uint64_t end, uint64_t size) {
  if (header.size() < kTransactionHeaderSize) return "";
  const TransactionHeader decoded = DecodeTransactionHeader(header);
  if (decoded.status != kStatusInProgress) return "is finished by its status, but the file ends before it does";
  return BytesBehindInProgress(end, decoded.length, size);
}

class TailOverFile final : public Tail {
 public:
  TailOverFile(FileSystem& file_system, std::unique_ptr<File> file, Magic magic, const TailOptions& options,
               uint64_t size)
      : file_(std::move(file)),
        magic_(magic),
        identity_(file_system, *file_, magic),
        pass_(*file_, magic, options),
        size_(size) {}

  // Goes on from `start`, a boundary of the file.
  absl::Status StartAt(const Boundary& start);

  absl::StatusOr<TailReport> Poll() override;
  void Unname() override { named_ = false; }
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) override;
  const Boundary& end() const override { return proof_.boundary; }
  Magic magic() const override { return magic_; }

 private:
  struct Corruption {
    uint64_t position = 0;
    std::string reason;
    friend bool operator==(const Corruption&, const Corruption&) = default;
  };

  // As TailIdentity::CheckName; nothing once the name does not matter.
  absl::StatusOr<std::optional<TailFinding>> CheckName();
  // Looks for new transactions until a pass has a result that can be believed.
  absl::StatusOr<TailReport> Look(uint64_t size);
  absl::StatusOr<TailReport> Advance(const PassResult& pass);
  TailReport StillPending(std::string header, uint64_t size);
  // Looks at the size once more, since the file may have grown since the poll began.
  absl::StatusOr<TailReport> Complete(TailReport report);

  std::unique_ptr<File> file_;
  const Magic magic_;
  TailIdentity identity_;
  TailPass pass_;
  BoundaryProof proof_;  // of the committed end as reported
  uint64_t size_;        // of the file, at the last poll
  bool named_ = true;    // it is to be found under its name
  std::string pending_;  // the header of an uncommitted transaction there, as far as it was written
  std::optional<Corruption> suspected_;
  absl::Status broken_;  // a sync that failed
};

TailReport ReportOf(TailFinding finding) {
  TailReport report;
  report.event = finding.event;
  report.position = finding.position;
  report.reason = std::move(finding.reason);
  return report;
}

TailReport PollAgain() {
  TailReport report;
  report.more = true;
  return report;
}

absl::Status TailOverFile::StartAt(const Boundary& start) {
  // What is taken as the committed end at the start is told to followers too, so it is synced as a later one is.
  if (absl::Status synced = file_->Sync(); !synced.ok()) return synced;
  auto proof = identity_.Prove(start);
  if (!proof.ok()) return proof.status();
  if (!proof->has_value()) return absl::UnavailableError(absl::StrCat(file_->path(), " shrank while it was opened"));
  proof_ = std::move(**proof);
  return absl::OkStatus();
}

absl::StatusOr<TailReport> TailOverFile::Poll() {
  if (!broken_.ok()) return broken_;
  auto finding = CheckName();
  if (!finding.ok()) return finding.status();
  if (finding->has_value()) return Complete(ReportOf(std::move(**finding)));
  const auto info = file_->Stat();
  if (!info.ok()) return info.status();
  finding = identity_.CheckContents(proof_, info->size);
  if (!finding.ok()) return finding.status();
  if (finding->has_value()) return Complete(ReportOf(std::move(**finding)));
  auto report = Look(info->size);
  if (!report.ok()) return report.status();
  return Complete(*std::move(report));
}

absl::StatusOr<std::optional<TailFinding>> TailOverFile::CheckName() {
  if (!named_) return std::nullopt;
  return identity_.CheckName();
}

absl::StatusOr<TailReport> TailOverFile::Look(uint64_t size) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto pass = pass_.Run(end());
    if (!pass.ok()) return pass.status();
    switch (pass->outcome) {
      case PassOutcome::kPending:
        suspected_.reset();
        return StillPending(std::move(pass->header), size);
      case PassOutcome::kReached:
        suspected_.reset();
        return Advance(*pass);
      case PassOutcome::kPartial:
        return PollAgain();
      case PassOutcome::kUnstable:
        break;
      case PassOutcome::kCorrupt:
        Corruption found{pass->position, std::move(pass->reason)};
        if (suspected_ == found) return ReportOf({TailEvent::kCorrupt, found.position, found.reason});
        suspected_ = std::move(found);
        break;
    }
  }
  return PollAgain();
}

TailReport TailOverFile::StillPending(std::string header, uint64_t size) {
  TailReport report;
  if (const std::string wrong = Contradiction(header, end().offset, size); !wrong.empty()) {
    report.reason = absl::StrCat(file_->path(), ": the transaction at ", end().offset, " ", wrong);
  } else if (size < size_ || WasTakenBack(pending_, header)) {
    report.event = TailEvent::kAborted;
    report.reason = absl::StrCat("the unfinished transaction at ", end().offset, " was taken back: an aborted vote");
  }
  pending_ = std::move(header);
  return report;
}

absl::StatusOr<TailReport> TailOverFile::Advance(const PassResult& pass) {
  if (absl::Status synced = file_->Sync(); !synced.ok()) {
    // The kernel reports a failed write-back once and calls the pages clean: a second sync would succeed.
    broken_ = synced;
    return synced;
  }
  auto proof = identity_.Prove(pass.reached);
  if (!proof.ok()) return proof.status();
  if (!proof->has_value()) return PollAgain();
  // Only what is in the live file is announced, so the name is looked at once more, after the sync.
  auto finding = CheckName();
  if (!finding.ok()) return finding.status();
  if (finding->has_value()) return ReportOf(std::move(**finding));
  proof_ = std::move(**proof);
  pending_.clear();
  TailReport report;
  report.event = TailEvent::kAdvanced;
  report.transactions = pass.transactions;
  report.decreasing_tids = pass.decreasing_tids;
  report.more = pass.more;
  return report;
}

absl::StatusOr<TailReport> TailOverFile::Complete(TailReport report) {
  const auto info = file_->Stat();
  if (!info.ok()) return info.status();
  size_ = info->size;
  report.end = end();
  report.file_size = size_;
  report.pending_bytes = size_ > end().offset ? size_ - end().offset : 0;
  return report;
}

absl::StatusOr<size_t> TailOverFile::Read(uint64_t offset, absl::Span<char> out) {
  if (offset >= end().offset) return size_t{0};
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), end().offset - offset));
  const auto count = file_->ReadAt(offset, out.subspan(0, wanted));
  if (!count.ok() || *count == wanted) return count;
  return absl::DataLossError(absl::StrCat("read ", file_->path(), ": the file ends at ", offset + *count,
                                          ", below its committed end ", end().offset, ": it was truncated"));
}

// What `known` and the file disagree about, for a person.
absl::Status NotThere(File& file, const Boundary& known, uint64_t size) {
  const std::string expected =
      absl::StrFormat("%s is not the file that was followed before: at offset %d, behind transaction %016x, ",
                      file.path(), known.offset, known.tid);
  const std::string advice = "; it was packed, restored or overwritten meanwhile";
  if (size < known.offset) {
    return absl::FailedPreconditionError(
        absl::StrCat(expected, "it should go on, but it has ", size, " bytes", advice));
  }
  char header[kTransactionHeaderSize];
  const auto count = file.ReadAt(known.last_offset, absl::MakeSpan(header));
  if (!count.ok()) return count.status();
  if (known.last_offset == 0 || *count < sizeof(header)) {
    return absl::FailedPreconditionError(absl::StrCat(expected, "its first bytes differ", advice));
  }
  const Tid found = DecodeTransactionHeader(absl::string_view(header, sizeof(header))).tid;
  if (found == known.tid) {
    return absl::FailedPreconditionError(
        absl::StrCat(expected, "the bytes of that transaction or the file's magic differ", advice));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(expected, absl::StrFormat("transaction %016x was found instead", found), advice));
}

absl::StatusOr<Magic> MagicToFollow(File& file) {
  absl::StatusOr<FirstBytes> first = ReadMagic(file);
  if (!first.ok()) return first.status();
  if (first->size < kMagicSize) {
    return absl::UnavailableError(absl::StrCat(file.path(), " has only ", first->size,
                                               " bytes: a writer has just created it, or it is empty; waiting for "
                                               "the database to be written"));
  }
  if (first->magic.ok()) return first->magic;
  return absl::Status(first->magic.status().code(), absl::StrCat(file.path(), ": ", first->magic.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tail>> Tail::Open(FileSystem& file_system, const std::string& path,
                                                 const TailOptions& options, const Boundary& known) {
  auto file = file_system.OpenForReading(path);
  if (!file.ok()) return file.status();
  const auto info = (*file)->Stat();
  if (!info.ok()) return info.status();
  if (!info->is_regular) {
    return absl::InvalidArgumentError(absl::StrCat("opening ", path, ": it is not a regular file; name the data file"));
  }
  if (absl::Status locked = (*file)->LockExclusively(); !locked.ok()) return locked;
  const auto magic = MagicToFollow(**file);
  if (!magic.ok()) return magic.status();
  const Boundary start = known.offset == 0 ? FirstBoundary(*magic) : known;
  const auto there = HasBoundary(**file, *magic, start);
  if (!there.ok()) return there.status();
  if (!*there) return NotThere(**file, known, info->size);
  auto tail = std::make_unique<TailOverFile>(file_system, *std::move(file), *magic, options, info->size);
  if (absl::Status started = tail->StartAt(start); !started.ok()) return started;
  return tail;
}

absl::StatusOr<TailReport> PollToEnd(Tail& tail) {
  absl::StatusOr<TailReport> report;
  do {
    report = tail.Poll();
  } while (report.ok() && report->more);
  return report;
}

}  // namespace zrs::filestorage
