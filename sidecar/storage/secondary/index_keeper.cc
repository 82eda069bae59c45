#include "sidecar/storage/secondary/index_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "filestorage/timestamp.h"
#include "sidecar/storage/secondary/index_work.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

IndexKeeper::IndexKeeper(const StorageOptions& options, runtime::Runtime& runtime, filestorage::FileSystem& file_system,
                         CopyFile& file)
    : options_(options), runtime_(runtime), file_system_(file_system), file_(file) {}

void IndexKeeper::Tick(uint64_t committed) {
  if (options_.index_interval <= absl::ZeroDuration() || cancelled_) return;
  const absl::Duration now = runtime_.Now();
  if (!due_) due_ = now + options_.index_interval;
  if (now < *due_ || (up_to_ && committed <= *up_to_)) return;
  Begin();
}

void IndexKeeper::Cancel() {
  if (cancelled_) *cancelled_ = true;
}

void IndexKeeper::OnFileGoes() {
  Cancel();
  up_to_.reset();
  time_.clear();
}

void IndexKeeper::WhenIdle(absl::AnyInvocable<void()> done) {
  if (!cancelled_) return done();
  waiting_.push_back(std::move(done));
}

void IndexKeeper::Begin() {
  cancelled_ = std::make_shared<std::atomic<bool>>(false);
  runtime_.PostIo([this, cancelled = cancelled_] { BeginOnIo(cancelled); });
}

void IndexKeeper::BeginOnIo(const CancelFlag& cancelled) {
  const auto end = [this](Report report) { runtime_.Post([this, report = std::move(report)] { OnEnded(report); }); };
  const absl::StatusOr<CopyFile::Indexable> of = file_.BeginIndex();
  if (!of.ok()) return end(of.status());
  absl::Status begun = runtime_.PostAside([this, end, cancelled, of = *of] {
    Prepared prepared = PrepareCopyIndex(file_system_, options_.path, of.end, *cancelled);
    runtime_.PostIo([this, end, cancelled, of, prepared = std::move(prepared)]() mutable {
      end(Put(of, std::move(prepared), *cancelled));
    });
  });
  if (!begun.ok()) end(std::move(begun));
}

IndexKeeper::Report IndexKeeper::Put(const CopyFile::Indexable& of, Prepared prepared,
                                     const std::atomic<bool>& cancelled) {
  // Whatever came of reading a file that was replaced or cut meanwhile says nothing.
  if (absl::Status still = file_.CheckIsStill(of); !still.ok()) return still;
  if (!prepared.ok()) return prepared.status();
  if (cancelled) return absl::CancelledError("it is not wanted any more");
  if (absl::Status put = file_.PutIndex(of, *prepared); !put.ok()) return put;
  return prepared->report();
}

void IndexKeeper::OnEnded(const Report& report) {
  const bool cancelled = *std::exchange(cancelled_, nullptr) || absl::IsCancelled(report.status());
  due_ = runtime_.Now() + options_.index_interval;
  // One that was still put in place before it was cancelled may be gone again.
  if (!cancelled && report.ok()) {
    up_to_ = report->position;
    time_ = filestorage::Rfc3339(runtime_.UnixNow());
    last_error_.clear();
    spdlog::debug("storage {}: {} is up to date up to {}: {} objects; {} bytes were scanned{}", options_.name,
                  filestorage::IndexPath(options_.path), report->position, report->objects, report->scanned_bytes,
                  report->not_gone_on.empty() ? "" : absl::StrCat(", all of the file: ", report->not_gone_on));
  } else if (!cancelled) {
    NoteFailed(report.status());
  }
  for (auto& done : std::exchange(waiting_, {})) done();
}

void IndexKeeper::NoteFailed(const absl::Status& status) {
  if (last_error_.empty()) {
    spdlog::warn("storage {}: {} is not brought up to date: {}; it is tried again every {}", options_.name,
                 filestorage::IndexPath(options_.path), std::string(status.message()),
                 absl::FormatDuration(options_.index_interval));
  }
  last_error_ = std::string(status.message());
}

void IndexKeeper::FillStatus(v1::StorageStatus& status) const {
  if (options_.index_interval <= absl::ZeroDuration()) return;
  v1::KeptIndex& index = *status.mutable_index();
  if (up_to_) index.set_up_to(*up_to_);
  if (!time_.empty()) index.set_time(time_);
  if (!last_error_.empty()) index.set_last_error(last_error_);
}

}  // namespace zrs::storage
