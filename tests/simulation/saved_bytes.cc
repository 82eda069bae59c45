#include "tests/simulation/saved_bytes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/simulation/node.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {
namespace {

uint64_t CommonPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<uint64_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
}

// Of a file that is kept as it is there may be more, which was not committed.
bool IsSaved(absl::string_view saved, absl::string_view before, uint64_t cut_at, bool whole) {
  return whole ? absl::StartsWith(saved, before) : saved == before.substr(cut_at);
}

bool IsDurable(const tests::SimulatedFileSystem& disk, const std::string& path) {
  return disk.DurableContents(path, 0, UINT64_MAX) == disk.Contents(path);
}

}  // namespace

std::vector<std::string> SavedBytes::Names(const tests::SimulatedFileSystem& disk) {
  std::vector<std::string> paths;
  const auto copy = disk.Clone();  // so that nothing is an operation
  const auto names = copy->List(kDataDirectory);
  if (!names.ok()) return paths;
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(kDataDirectory, "/", name);
    absl::string_view number = path;
    if (!absl::ConsumePrefix(&number, kDataPath)) continue;
    absl::ConsumePrefix(&number, ".tr");
    if (!number.empty() && std::all_of(number.begin(), number.end(), absl::ascii_isdigit)) paths.push_back(path);
  }
  return paths;
}

void SavedBytes::Begin(const std::string& name, const tests::SimulatedFileSystem& disk) {
  Record& record = records_[name];
  const std::string contents = disk.Contents(kDataPath);
  record.giving_up = contents.substr(0, OpenAsZodb(contents).end);
  // Of a file that no state tells of, what was not committed is saved too: nobody knows what it was.
  record.all = disk.Exists(kStatePath) ? *record.giving_up : contents;
  record.contents = contents;
  record.cutting = true;
  for (const std::string& path : Names(disk)) {
    // What the writer saved, a power loss may take.
    if (IsDurable(disk, path)) record.kept.emplace(path, disk.Contents(path));
  }
}

std::optional<std::string> SavedBytes::FindRest(const tests::SimulatedFileSystem& disk, const Record& record) const {
  const absl::string_view giving_up = *record.giving_up;
  const uint64_t there = CommonPrefix(disk.Contents(kDataPath), giving_up);
  if (there == giving_up.size()) return "";
  for (const std::string& path : Names(disk)) {
    const std::string saved = disk.Contents(path);
    const auto is_tail_of = [&](absl::string_view whole) {
      return saved.size() <= whole.size() && saved.size() + there >= whole.size() && absl::EndsWith(whole, saved);
    };
    if (is_tail_of(giving_up) || is_tail_of(record.all) || absl::StartsWith(saved, giving_up)) return path;
  }
  return std::nullopt;
}

void SavedBytes::Check(const std::string& name, const tests::SimulatedFileSystem& disk) {
  const auto found = records_.find(name);
  if (found == records_.end()) return;
  for (const auto& [path, contents] : found->second.kept) {
    if (disk.Contents(path) != contents) log_.Violation(name, absl::StrCat("has lost what was saved in ", path));
  }
  if (found->second.giving_up && !FindRest(disk, found->second)) {
    log_.Violation(name, "has lost what it gives up: nowhere is it saved");
  }
}

void SavedBytes::Settle(const std::string& name, Record& record, const tests::SimulatedFileSystem& disk) {
  Check(name, disk);
  if (!record.giving_up) return;
  const std::optional<std::string> rest = FindRest(disk, record);
  record.giving_up.reset();
  if (rest && !rest->empty()) record.kept.emplace(*rest, disk.Contents(*rest));
}

void SavedBytes::OnEnded(const std::string& name, const tests::SimulatedFileSystem& disk) {
  if (const auto found = records_.find(name); found != records_.end()) Settle(name, found->second, disk);
}

bool SavedBytes::IsCutting(const std::string& name) const {
  const auto found = records_.find(name);
  return found != records_.end() && found->second.cutting;
}

void SavedBytes::OnAnswer(const std::string& name, const tests::SimulatedFileSystem& disk,
                          const v1::ResyncResponse& answer) {
  Record& record = records_[name];
  if (!record.giving_up) return;
  const std::string& path = answer.saved_to();
  if (answer.result() != v1::ResyncResponse::RESULT_DONE) return Settle(name, record, disk);
  const uint64_t end = answer.comparison().committed_end();
  const uint64_t cut_at = answer.whole() ? 0 : answer.comparison().same_up_to();
  // Where a failed sync has damaged what was committed, an opener finds less of it than the state knows of.
  const std::string before = end > record.all.size() ? record.contents.substr(0, end) : record.all;
  if (end != before.size()) {
    log_.Violation(name, absl::StrCat("is resynced from ", end, " bytes, and had ", before.size()));
  } else if (path.empty()) {
    if (cut_at < end) log_.Violation(name, "is resynced, and has saved nothing");
  } else if (record.kept.contains(path)) {
    log_.Violation(name, absl::StrCat("is resynced, and has overwritten ", path, ", which was there before"));
  } else if (!IsDurable(disk, path) || !IsSaved(disk.Contents(path), before, cut_at, answer.whole())) {
    log_.Violation(name, absl::StrCat("is resynced, and has not saved in ", path, " what was behind ", cut_at));
  }
  record.giving_up.reset();
  record.cutting = false;
  Check(name, disk);
  if (!path.empty()) record.kept.emplace(path, disk.Contents(path));
}

}  // namespace zrs::simulation
