// What a comparison of a copy with its upstream's file came to, for people and programs. Pure functions; any thread.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISON_REPORT_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISON_REPORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/transaction_probe.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/storage/secondary/comparison/copy_comparison.h"

namespace zrs::storage {

// `committed_end`: of this side. Texts from files are cleaned as text::Clean does.
v1::Comparison ReportOf(const ComparisonResult& result, uint64_t committed_end, absl::Time now);

// As DataLoss tells it, or with all that there is.
v1::ComparedTransaction ReportOf(const absl::StatusOr<filestorage::ProbedTransaction>& transaction);

// One line, without a full stop: up to where all is the same, and what comes then on either side.
std::string Describe(const v1::Comparison& comparison);

// One line: "transaction TID of TIME by USER, DESCRIPTION (N bytes)", or its damage.
std::string Describe(const v1::ComparedTransaction& transaction);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_COMPARISON_COMPARISON_REPORT_H_
