# Programs load the libraries that they use, and no other: twice as many are twice as long to start.
include(CheckLinkerFlag)
check_linker_flag(CXX -Wl,--as-needed TOPOGRAD_HAS_as_needed)
if(TOPOGRAD_HAS_as_needed)
  add_link_options(-Wl,--as-needed)
endif()

# For checks the quickest linker that is installed: the test programs are many. mold takes more of our own libraries'
# files into a program than it needs, and what these need.
if(TOPOGRAD_QUICK_LINKER)
  foreach(linker mold lld)
    check_linker_flag(CXX -fuse-ld=${linker} TOPOGRAD_HAS_${linker})
    if(TOPOGRAD_HAS_${linker})
      add_link_options(-fuse-ld=${linker})
      break()
    endif()
  endforeach()
endif()
