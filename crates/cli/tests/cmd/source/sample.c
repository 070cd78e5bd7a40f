__declspec(dllimport) void __stdcall NoSuchFunction(void);
__declspec(dllexport) int __stdcall Sample(void) { NoSuchFunction(); return 3; }
