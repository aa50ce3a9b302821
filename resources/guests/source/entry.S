/* First byte of the image: 64-bit mode, identity mapped, interrupts never enabled. The RAM behind the image is
   whatever DRAM decrypts to, so .bss (stack and page tables in it) is zeroed before anything is called. */

    .section .start, "ax", @progbits
    .globl _start
_start:
    movq $bss_end, %rcx
    movq $bss_start, %rdi
    subq %rdi, %rcx
    shrq $3, %rcx
    xorl %eax, %eax
    cld
    rep stosq
    movq $stack_top, %rsp
    call guest_main
stopped:
    hlt
    jmp stopped

    .section .bss.stack, "aw", @nobits
    .balign 4096
    .skip STACK_BYTES
stack_top:

    .section .note.GNU-stack, "", @progbits
