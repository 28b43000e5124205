package audit_test

import (
	"os"

	"golang.org/x/sys/unix"
)

const appendOnly = 0x20 // FS_APPEND_FL of linux/fs.h

// setAppendOnly forbids to shorten a file, or allows it again. Only root may,
// and only some file systems can.
func setAppendOnly(path string, on bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	flags &^= appendOnly
	if on {
		flags |= appendOnly
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags)
}
