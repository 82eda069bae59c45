// The index that ZODB opens the copy with.
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/data_file_names.h"
#include "sidecar/storage/secondary/copy_file.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

absl::StatusOr<CopyFile::Indexable> CopyFile::BeginIndex() {
  if (absl::Status open = CheckOpen(/*beside=*/false); !open.ok()) return open;
  return Indexable{file_number_, appender_->committed().offset};
}

absl::Status CopyFile::PutIndex(const Indexable& of, filestorage::PreparedIndex& index) {
  if (absl::Status still = CheckIsStill(of); !still.ok()) return still;
  return index.PutInPlace();
}

absl::Status CopyFile::CheckIsStill(const Indexable& of) const {
  if (of.file == file_number_) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("indexing ", options_.path, ": another file is in its place"));
}

absl::Status CopyFile::RemoveIndex() {
  ++file_number_;
  absl::Status removed = filestorage::RemoveIfThere(file_system_, filestorage::IndexPath(options_.path));
  return removed.ok() ? filestorage::SyncName(file_system_, options_.path) : removed;
}

// Before anybody may open the file: ZODB would scan what the index does not tell of.
std::string CopyFile::UpdateIndex(const filestorage::ScanProgress& go_on) {
  const auto index = filestorage::BuildIndex(file_system_, options_.path, {.go_on = true, .progress = go_on});
  if (index.ok()) {
    spdlog::info("storage {}: {} is up to date: {} objects; {} bytes were scanned, from {} on", options_.name,
                 filestorage::IndexPath(options_.path), index->objects, index->scanned_bytes,
                 index->position - index->scanned_bytes);
    return "";
  }
  spdlog::warn("storage {}: {}", options_.name, index.status().ToString());
  return absl::StrCat(filestorage::IndexPath(options_.path), " could not be brought up to date (",
                      index.status().message(), "): the database scans the file when it opens it");
}

}  // namespace zrs::storage
