// The kinds of results: how a file of each is recognised and read.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

class Hdf5File;

/// A file that is to be recognised.
struct ResultFile {
  std::string begin;               ///< its first bytes
  const Hdf5File* hdf5 = nullptr;  ///< nullptr where it is none
  Provenance attributes;           ///< of hdf5
};

struct ResultKind {
  std::string name;    ///< "surface": Record::kind
  std::string phrase;  ///< "a surface"
  bool (*recognises)(const ResultFile&);
  Record (*load)(const std::string& path);
};

/// All kinds, in the order in which a file is held against them. A new kind of result begins with
/// an entry here.
const std::vector<ResultKind>& result_kinds();

/// Tells the kind from the file's contents, whatever its name. Throws Error, one line, for what is
/// no result: absent, truncated, a checkpoint, directions, somebody else's.
const ResultKind& kind_of_result(const std::string& path);

/// Reads a result of any kind. Throws Error as kind_of_result(), and where the file is damaged.
Record load_record(const std::string& path);

/// "a surface", "a training's log"; "a result of the kind 'x'" where the list above lacks it.
std::string phrase_of(const std::string& kind);

}  // namespace topograd
