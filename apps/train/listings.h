// The networks and recipes that train knows, as tables.
#pragma once

namespace topograd {

/// Prints every network with its parameters and multiply-adds.
void list_models();

/// Prints every recipe with its options.
void list_recipes();

}  // namespace topograd
