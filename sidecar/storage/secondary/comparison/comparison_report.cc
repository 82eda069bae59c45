#include "sidecar/storage/secondary/comparison/comparison_report.h"

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "filestorage/timestamp.h"
#include "sidecar/text/printable.h"

namespace zrs::storage {
namespace {

// Of a user name or a description in a message.
constexpr size_t kLongestText = 200;

std::string DescribeSide(bool there, const v1::ComparedTransaction& transaction, const char* ends) {
  return there ? Describe(transaction) : ends;
}

}  // namespace

v1::ComparedTransaction ReportOf(const absl::StatusOr<filestorage::ProbedTransaction>& transaction) {
  v1::ComparedTransaction report;
  if (!transaction.ok()) {
    report.set_damage(text::Clean(transaction.status().message()));
    return report;
  }
  report.set_tid(filestorage::TidHex(transaction->tid));
  if (const auto time = filestorage::Rfc3339FromTid(transaction->tid); time.ok()) report.set_time(*time);
  report.set_user(text::Clean(transaction->user, kLongestText));
  report.set_description(text::Clean(transaction->description, kLongestText));
  report.set_bytes(transaction->end - transaction->begin);
  return report;
}

v1::Comparison ReportOf(const ComparisonResult& result, uint64_t committed_end, absl::Time now) {
  v1::Comparison report;
  report.set_time(filestorage::Rfc3339(now));
  report.set_same_up_to(result.same.offset);
  if (result.same.tid != 0) {
    report.set_tid(filestorage::TidHex(result.same.tid));
    if (const auto time = filestorage::Rfc3339FromTid(result.same.tid); time.ok()) report.set_tid_time(*time);
  }
  if (result.difference) report.set_difference(*result.difference);
  report.set_committed_end(committed_end);
  report.set_upstream_end(result.upstream.end.offset);
  if (!absl::IsNotFound(result.here.status())) *report.mutable_here() = ReportOf(result.here);
  if (!absl::IsNotFound(result.there.status())) *report.mutable_upstream() = ReportOf(result.there);
  if (!result.unsound.empty()) report.set_unsound(text::Clean(result.unsound));
  return report;
}

std::string Describe(const v1::ComparedTransaction& transaction) {
  if (transaction.has_damage()) {
    return absl::StrCat("bytes that contradict themselves (", transaction.damage(), ")");
  }
  std::string text = absl::StrCat("transaction ", transaction.tid());
  if (transaction.has_time()) absl::StrAppend(&text, " of ", transaction.time());
  const absl::string_view user = text::ShownUser(transaction.user());
  if (!user.empty()) absl::StrAppend(&text, " by ", user);
  if (!transaction.description().empty()) absl::StrAppend(&text, ", \"", transaction.description(), "\"");
  return absl::StrCat(text, " (", transaction.bytes(), " bytes)");
}

std::string Describe(const v1::Comparison& comparison) {
  std::string text = absl::StrCat("the two files are the same up to offset ", comparison.same_up_to());
  if (comparison.has_tid()) {
    absl::StrAppend(&text, " (transaction ", comparison.tid(), comparison.has_tid_time() ? " of " : "",
                    comparison.tid_time(), ")");
  }
  if (comparison.has_difference()) {
    absl::StrAppend(&text, ", and differ from byte ", comparison.difference(), " on");
  }
  if (comparison.has_unsound()) absl::StrAppend(&text, ", and are damaged alike ", comparison.unsound());
  if (!comparison.has_difference() && !comparison.has_here()) return text;
  return absl::StrCat(text, "; then comes, here: ", DescribeSide(comparison.has_here(), comparison.here(), "nothing"),
                      "; at the upstream: ", DescribeSide(comparison.has_upstream(), comparison.upstream(), "nothing"));
}

}  // namespace zrs::storage
