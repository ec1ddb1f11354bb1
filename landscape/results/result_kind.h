// Which of the programs' files a file is.
#pragma once

#include <string>

namespace topograd {

enum class ResultKind {
  surface,       ///< of surface, line, plane; a map of hessian --over or coherence --over; the
                 ///< authors' own
  trajectory,    ///< of trajectory
  curvature,     ///< of hessian
  sharpness,     ///< of sharpness
  coherence,     ///< of coherence
  paths,         ///< of connect
  training_log,  ///< a run's log.csv
};

/// From the file's contents, whatever its name. One line of Error for what is none of them: absent,
/// truncated, a checkpoint, directions, somebody else's.
ResultKind kind_of_result(const std::string& path);

/// "a surface", "a training's log"
std::string name_of(ResultKind kind);

}  // namespace topograd
